#include "service/terminal/process_start.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>

namespace palisade {
namespace {

constexpr mode_t kNotForOthers = 027;

// Opened for the opposite direction, so that writing to a closed stdout is an error. Without /dev/null the
// root folder serves as well.
void fill(int descriptor) {
  const int ways[] = {O_WRONLY, O_RDONLY, O_RDWR};
  if (fcntl(descriptor, F_GETFD) >= 0 || errno != EBADF) return;
  if (open("/dev/null", ways[descriptor]) < 0)
    open("/", O_RDONLY | O_DIRECTORY);  // NOLINT: the lowest one free
}

}  // namespace

void start_process() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) fill(descriptor);
  umask(umask(kNotForOthers) | kNotForOthers);
  signal(SIGPIPE, SIG_IGN);
}

bool finish_output() {
  std::cout.flush();
  errno = 0;
  const bool flushed = std::fflush(stdout) == 0 && std::ferror(stdout) == 0 && bool(std::cout);
  if (!flushed && errno != EPIPE)
    std::fprintf(stderr, "palisade: error: stdout: %s\n",
                 errno != 0 ? std::strerror(errno) : "cannot be written");
  return flushed;
}

}  // namespace palisade
