#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace palisade {

// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  int number() const { return number_; }
  int release() { return std::exchange(number_, -1); }  // to another owner

 private:
  int number_;
};

// What another thread writes to, to wake one that polls. Throws Unavailable where no descriptor is left.
Descriptor wake_descriptor();

// Where events are published and found if nobody says otherwise, ipc://FOLDER/NAME: a folder that is this
// user's alone, $XDG_RUNTIME_DIR/palisade, else root's /run/palisade, else /tmp/palisade-UID.
std::string local_endpoint(std::string_view name);

// What is wrong with an endpoint to be listened on, or nothing: only loopback tcp and sockets in folders
// until there is encryption.
std::optional<std::string> endpoint_fault(std::string_view endpoint);

// Where a service is reached: a Unix socket's path, or a host and a port.
struct ServiceAddress {
  std::string path, host, port;
};
// Of "tcp://127.0.0.1:5557" or "ipc:///run/palisade/events". Throws UsageError where it is no such endpoint.
ServiceAddress service_address(const std::string& endpoint);

// A socket that listens. An ipc endpoint is locked by a file beside it, so that no two programs take it from
// each other; a socket that nobody listens on any more is replaced, and whatever else stands there is left
// alone. A default folder is made where it is missing.
class Listener {
 public:
  // Throws Unavailable with the remedy; `setting` is where another endpoint is chosen ("--publish").
  Listener(const std::string& endpoint, const std::string& setting);
  ~Listener();  // takes away its own socket's file
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  int number() const { return socket_.number(); }
  // With the port that was bound.
  const std::string& endpoint() const { return endpoint_; }

 private:
  void listen_on_path(const std::string& path);
  void listen_on_port(std::string_view host, std::string_view port);
  [[noreturn]] void fail(const std::string& why) const;

  std::string endpoint_, setting_;
  std::string path_;                              // of its socket, once it is there
  std::pair<unsigned long, unsigned long> file_;  // device and number of that
  Descriptor lock_, socket_;
};

}  // namespace palisade
