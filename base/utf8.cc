#include "base/utf8.h"

#include <cstdint>

namespace palisade {

std::optional<CodePoint> next_code_point(std::string_view text) {
  const auto lead = std::uint8_t(text[0]);
  if (lead < 0x80) return CodePoint{lead, 1};
  const std::size_t more = lead >= 0xc2 && lead < 0xe0   ? 1
                           : lead >= 0xe0 && lead < 0xf0 ? 2
                           : lead >= 0xf0 && lead < 0xf5 ? 3
                                                         : 0;
  if (more == 0 || more >= text.size()) return std::nullopt;
  char32_t value = lead & (0x3f >> more);
  for (std::size_t k = 1; k <= more; ++k) {
    const auto byte = std::uint8_t(text[k]);
    if ((byte & 0xc0) != 0x80) return std::nullopt;
    value = value << 6 | (byte & 0x3f);
  }
  constexpr char32_t kMinCodePoint[] = {0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xd800 && value < 0xe000;
  if (value < kMinCodePoint[more] || surrogate || value > 0x10ffff) return std::nullopt;
  return CodePoint{value, more + 1};
}

bool valid_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto point = next_code_point(text);
    if (!point) return false;
    text.remove_prefix(point->bytes);
  }
  return true;
}

void append_utf8(std::string& text, char32_t value) {
  if (value < 0x80) {
    text += char(value);
    return;
  }
  const int more = value < 0x800 ? 1 : value < 0x10000 ? 2 : 3;
  constexpr unsigned kLead[] = {0, 0xc0, 0xe0, 0xf0};
  text += char(kLead[more] | value >> (6 * more));
  for (int k = more - 1; k >= 0; --k) text += char(0x80 | (value >> (6 * k) & 0x3f));
}

}  // namespace palisade
