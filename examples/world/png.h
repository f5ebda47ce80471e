#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace palisade::world {

// Samples of a PNG as the file has them: straight alpha, no colour conversion.
struct Pixels {
  int width = 0;
  int height = 0;
  int channels = 0;
  std::vector<std::uint8_t> samples;  // [height, width, channels]
};

// `channels` as the file must have them: 2 grey and alpha, 3 RGB, 4 RGBA. Throws std::runtime_error
// otherwise.
Pixels read_png(const std::filesystem::path& file, int channels);
// Throws std::runtime_error when the file can't be written.
void write_png(const std::filesystem::path& file, const Pixels& pixels);

}  // namespace palisade::world
