#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "ingest/pictures/picture_formats.h"

namespace palisade {

// A text of a PNG, of at most kMaxPngText bytes.
struct PngText {
  std::string_view keyword;
  std::string text;
};
inline constexpr std::size_t kMaxPngText = 256u << 10;

// Reads a tEXt, zTXt or iTXt chunk whose keyword is among `keywords`; others are not expanded. Nothing where
// it is damaged or of another kind. Accepts any bytes.
std::optional<PngText> png_text(std::string_view kind, Bytes chunk,
                                std::span<const std::string_view> keywords);

// Decodes a "Raw profile type ..." as ImageMagick writes it: a name, a length and hexadecimal digits. A
// truncated one gives its beginning.
std::string raw_profile(std::string_view text);

}  // namespace palisade
