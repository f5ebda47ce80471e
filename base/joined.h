#pragma once

#include <string>
#include <string_view>

namespace palisade {

// "a, b, c" of a range of texts.
template <class Parts>
std::string joined(const Parts& parts, std::string_view separator = ", ") {
  std::string text;
  for (const std::string_view part : parts) {
    if (!text.empty()) text += separator;
    text += part;
  }
  return text;
}

}  // namespace palisade
