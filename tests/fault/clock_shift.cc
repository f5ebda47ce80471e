// A library to be preloaded into a program. It shifts the program's wall clock by the seconds in the file
// that PALISADE_CLOCK_SHIFT names, as if the host's clock were set. Monotonic clocks are not changed.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>

namespace {

// Opened once: a process that has confined itself may open it no more.
int shift_file() {
  const char* const path = std::getenv("PALISADE_CLOCK_SHIFT");
  return path == nullptr ? -1 : open(path, O_RDONLY | O_CLOEXEC);
}

std::time_t shift() {
  static const int file = shift_file();
  char text[32] = {};
  return file >= 0 && pread(file, text, sizeof text - 1, 0) > 0 ? std::atol(text) : 0;
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  using Real = int (*)(clockid_t, timespec*);
  static const auto real = reinterpret_cast<Real>(dlsym(RTLD_NEXT, "clock_gettime"));
  const int result = real(clock, time);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) time->tv_sec += shift();
  return result;
}

int gettimeofday(timeval* time, void*) noexcept {
  timespec now{};
  const int result = clock_gettime(CLOCK_REALTIME, &now);
  time->tv_sec = now.tv_sec;
  time->tv_usec = now.tv_nsec / 1000;
  return result;
}

std::time_t time(std::time_t* out) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (out != nullptr) *out = now.tv_sec;
  return now.tv_sec;
}
}
