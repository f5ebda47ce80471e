#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "ingest/pictures/picture_formats.h"

namespace palisade {

// One of a PNG's texts. Of a compressed one, and of any other, at most kMaxPngText bytes.
struct PngText {
  std::string_view keyword;
  std::string text;
};
inline constexpr std::size_t kMaxPngText = 256u << 10;

// What a tEXt, zTXt or iTXt chunk holds, if its keyword is one of these; others are not even expanded.
// Nothing where it is of another kind or damaged. Takes any bytes.
std::optional<PngText> png_text(std::string_view kind, Bytes chunk,
                                std::span<const std::string_view> keywords);

// The bytes of a "Raw profile type ...", as ImageMagick writes them: a name, their number, hexadecimal
// digits. What is cut short gives what there is of it.
std::string raw_profile(std::string_view text);

}  // namespace palisade
