#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace palisade::world {

// The samples of a PNG file, unchanged: straight alpha, no colour conversion.
struct Pixels {
  int width = 0;
  int height = 0;
  int channels = 0;
  std::vector<std::uint8_t> samples;  // [height, width, channels]
};

// Reads a PNG file that must have so many channels: 2 for grey and alpha, 3 for RGB, 4 for RGBA. Throws
// std::runtime_error.
Pixels read_png(const std::filesystem::path& file, int channels);
// Throws std::runtime_error if the file cannot be written.
void write_png(const std::filesystem::path& file, const Pixels& pixels);

}  // namespace palisade::world
