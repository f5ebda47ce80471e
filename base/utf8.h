#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace palisade {

// The code point at the start of `text`, which is not empty, and how many bytes it takes; nothing where it is
// no UTF-8 (overlong, surrogate, past U+10FFFF, cut off).
struct CodePoint {
  char32_t value = 0;
  std::size_t bytes = 0;
};
std::optional<CodePoint> next_code_point(std::string_view text);
bool valid_utf8(std::string_view text);
void append_utf8(std::string& text, char32_t value);

}  // namespace palisade
