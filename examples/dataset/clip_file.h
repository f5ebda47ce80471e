#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>

namespace palisade::world {

// Draws picture i into the frame, in Painter's format.
using DrawPicture = std::function<void(std::size_t i, std::span<std::uint8_t> frame)>;

// Writes an MP4 file with H.264: one picture at each of `times` (in seconds, ascending, the first is 0).
// Throws std::runtime_error on failure.
void write_clip(const std::filesystem::path& file, std::span<const double> times, int kbit_per_second,
                const DrawPicture& draw);

}  // namespace palisade::world
