#include "service/terminal/live_text.h"

#include <unistd.h>

#include <cstdio>
#include <utility>

#include "base/log.h"

namespace palisade {

LiveText::LiveText(bool wanted)
    : live_(wanted && isatty(STDOUT_FILENO) == 1), awaits_(live_ && isatty(STDERR_FILENO) == 1) {}

LiveText::~LiveText() {
  clear();
  if (!shown_.empty()) std::fputs("\n", stdout);  // it ended before its line did
}

void LiveText::clear() {
  if (std::exchange(drawn_, false)) std::fputs("\r\033[K", stderr);
}

void LiveText::await(std::string_view what) {
  if (!awaits_ || !shown_.empty()) return;
  drawn_ = true;
  std::fprintf(stderr, "\r\033[K%.*s", int(what.size()), what.data());
}

void LiveText::append(std::string_view text) {
  if (!live_) return;
  clear();
  const std::string part = escaped(text);
  shown_ += part;
  std::fputs(part.c_str(), stdout);
  std::fflush(stdout);
}

std::string LiveText::rest_of(const std::string& line) {
  clear();
  const std::string shown = std::exchange(shown_, {});
  if (shown.empty()) return line;
  if (line.starts_with(shown)) return line.substr(shown.size());
  return "\n" + line;  // the answer became another than it began
}

}  // namespace palisade
