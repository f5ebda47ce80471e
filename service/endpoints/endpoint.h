#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/descriptor.h"

namespace palisade {

// An eventfd that another thread writes to, to wake one that polls. Throws Unavailable where no descriptor is
// left.
Descriptor wake_descriptor();

// The default endpoint, ipc://FOLDER/NAME, in a folder of this user alone: $XDG_RUNTIME_DIR/palisade, for
// root /run/palisade, else /tmp/palisade-UID.
std::string local_endpoint(std::string_view name);

// Why an endpoint may not be listened on, or nothing. Without encryption only loopback tcp and Unix sockets
// are allowed, with it every address of this machine (tcp://0.0.0.0:5557).
std::optional<std::string> endpoint_fault(std::string_view endpoint, bool encrypted = false);

// Where a service is reached: a Unix socket's path, or a host and a port.
struct ServiceAddress {
  std::string path, host, port;
};
// Parses "tcp://127.0.0.1:5557" or "ipc:///run/palisade/events". Throws UsageError for anything else.
ServiceAddress service_address(const std::string& endpoint);

// A listening socket. A lock file beside an ipc endpoint keeps two programs from taking it from each other. A
// socket file on which nobody listens is replaced; anything else at that path is left alone.
class Listener {
 public:
  // Throws Unavailable; `setting` is named as the place to choose another endpoint ("--publish").
  Listener(const std::string& endpoint, const std::string& setting, bool encrypted = false);
  ~Listener();  // removes its own socket file
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  int number() const { return socket_.number(); }
  // The endpoint with the port that was bound.
  const std::string& endpoint() const { return endpoint_; }

 private:
  void listen_on_path(const std::string& path);
  void listen_on_port(std::string_view host, std::string_view port);
  [[noreturn]] void fail(const std::string& why) const;

  std::string endpoint_, setting_;
  std::string path_;                              // of the socket file, once it exists
  std::pair<unsigned long, unsigned long> file_;  // device and inode of that file
  Descriptor lock_, socket_;
};

}  // namespace palisade
