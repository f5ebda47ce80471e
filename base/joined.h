#pragma once

#include <span>
#include <string>
#include <string_view>

namespace palisade {

// "a, b, c"
inline std::string joined(std::span<const std::string> parts, std::string_view separator = ", ") {
  std::string text;
  for (const std::string& part : parts) {
    if (!text.empty()) text += separator;
    text += part;
  }
  return text;
}

}  // namespace palisade
