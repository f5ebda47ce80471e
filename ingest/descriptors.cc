#include "ingest/descriptors.h"

#include <fcntl.h>
#include <unistd.h>

#include <vector>

namespace palisade {

bool descriptors_left(int wanted) {
  std::vector<int> taken;
  for (int i = 0; i < wanted; ++i) {
    const int next = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
    if (next < 0) break;
    taken.push_back(next);
  }
  for (const int each : taken) close(each);
  return int(taken.size()) == wanted;
}

}  // namespace palisade
