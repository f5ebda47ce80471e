#include "service/endpoint_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "service/command_line.h"

namespace palisade {

Descriptor::~Descriptor() {
  if (number_ >= 0) close(number_);
}

Descriptor lock_endpoint(const std::string& endpoint) {
  if (!endpoint.starts_with("ipc://")) return Descriptor();
  const std::string path = endpoint.substr(6) + ".lock";
  Descriptor file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (file.number() < 0) {
    throw Unavailable("cannot open " + endpoint + ": its folder is missing or not writable; create it");
  }
  if (flock(file.number(), LOCK_EX | LOCK_NB) != 0) {
    throw Unavailable("cannot open " + endpoint + ": another palisade has it; stop that or choose another");
  }
  return file;
}

}  // namespace palisade
