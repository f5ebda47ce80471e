#include "service/terminal/output.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "service/terminal/exit_code.h"

namespace palisade {

void print_line(const std::string& line) {
  if (std::fputs((line + "\n").c_str(), stdout) >= 0 && std::fflush(stdout) == 0) return;
  if (errno != EPIPE) std::fprintf(stderr, "palisade: error: stdout: %s\n", std::strerror(errno));
  std::_Exit(kFailed);
}

}  // namespace palisade
