#include "ingest/feed_channel.h"

#include <sys/socket.h>

#include <cerrno>

namespace palisade {

bool send_whole(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    bytes.remove_prefix(std::size_t(sent));
  }
  return true;
}

}  // namespace palisade
