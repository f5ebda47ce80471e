#include "service/endpoints/descriptors_left.h"

#include <poll.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>

namespace palisade {

bool descriptors_left(std::size_t wanted) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  std::size_t free = 0;
  std::array<pollfd, 256> window;
  for (rlim_t first = 0; first < limit.rlim_cur && free < wanted; first += window.size()) {
    const auto size = std::size_t(std::min<rlim_t>(window.size(), limit.rlim_cur - first));
    for (std::size_t i = 0; i < size; ++i) window[i] = {int(first + i), 0, 0};
    poll(window.data(), size, 0);
    free += std::size_t(std::count_if(window.begin(), window.begin() + std::ptrdiff_t(size),
                                      [](const pollfd& each) { return (each.revents & POLLNVAL) != 0; }));
  }
  return free >= wanted;
}

}  // namespace palisade
