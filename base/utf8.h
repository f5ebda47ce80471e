#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace palisade {

// The code point at the start of `text`, which must not be empty, and its size in bytes. Nothing if it is not
// valid UTF-8 (overlong, a surrogate, beyond U+10FFFF or cut off).
struct CodePoint {
  char32_t value = 0;
  std::size_t bytes = 0;
};
std::optional<CodePoint> next_code_point(std::string_view text);
bool valid_utf8(std::string_view text);
void append_utf8(std::string& text, char32_t value);

}  // namespace palisade
