#include "base/text_format.h"

#include <cstdarg>
#include <cstdio>

namespace palisade {

std::string format_text(const char* pattern, ...) {
  va_list arguments, again;
  va_start(arguments, pattern);
  va_copy(again, arguments);
  std::string text(std::size_t(std::vsnprintf(nullptr, 0, pattern, arguments)), '\0');
  va_end(arguments);
  std::vsnprintf(text.data(), text.size() + 1, pattern, again);
  va_end(again);
  return text;
}

std::string duration_text(double seconds) {
  return seconds < 1 ? format_text("%.2f ms", seconds * 1e3) : format_text("%.2f s", seconds);
}

}  // namespace palisade
