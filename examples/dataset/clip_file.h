#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>

namespace palisade::world {

// Draws picture i into the frame, as Painter does.
using DrawPicture = std::function<void(std::size_t i, std::span<std::uint8_t> frame)>;

// Writes H.264 in MP4: one picture at each of `times` (seconds, ascending), the first at zero. Throws
// std::runtime_error when that fails.
void write_clip(const std::filesystem::path& file, std::span<const double> times, int kbit_per_second,
                const DrawPicture& draw);

}  // namespace palisade::world
