#include "base/percent_encoding.h"

#include <cctype>
#include <cstddef>

namespace palisade {

std::string percent_encoded(std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && (std::isalnum(byte) || c == '-' || c == '.' || c == '_' || c == '~')) {
      out += c;
    } else {
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return out;
}

std::string percent_decoded(std::string_view text) {
  const auto digit = [&](std::size_t at) {
    const std::size_t value =
        std::string_view("0123456789abcdef")
            .find(at < text.size() ? char(std::tolower(static_cast<unsigned char>(text[at]))) : '?');
    return value == std::string_view::npos ? -1 : int(value);
  };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && digit(i + 1) >= 0 && digit(i + 2) >= 0) {
      out += char(digit(i + 1) * 16 + digit(i + 2));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace palisade
