#include "service/endpoints/endpoint.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "base/format.h"

namespace palisade {
namespace {

constexpr std::string_view kIpc = "ipc://", kTcp = "tcp://";
constexpr int kWaitingPeers = 64;
constexpr mode_t kSocketMode = 0660;

struct HostAndPort {
  std::string_view host, port;
};

std::optional<HostAndPort> host_and_port(std::string_view endpoint) {
  const std::size_t colon = endpoint.rfind(':');
  if (!endpoint.starts_with(kTcp) || colon < kTcp.size() + 1) return std::nullopt;
  return HostAndPort{endpoint.substr(kTcp.size(), colon - kTcp.size()), endpoint.substr(colon + 1)};
}

std::optional<int> port_of(std::string_view text) {
  if (text == "*") return 0;
  if (text.empty() || text.size() > 5 || text.find_first_not_of("0123456789") != text.npos)
    return std::nullopt;
  const int port = std::stoi(std::string(text));
  return port <= 65535 ? std::optional(port) : std::nullopt;
}

std::string default_folder() {
  const char* const runtime = std::getenv("XDG_RUNTIME_DIR");
  if (runtime != nullptr && runtime[0] == '/') return std::string(runtime) + "/palisade";
  const uid_t user = geteuid();
  return user == 0 ? "/run/palisade" : format("/tmp/palisade-{}", user);
}

// Why a folder is not private to this user, or nothing. Creates the folder where it is missing.
std::optional<std::string> fault_of_private(const std::string& folder) {
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return std::strerror(errno);
  struct stat status {};
  if (lstat(folder.c_str(), &status) != 0) return std::strerror(errno);
  if (!S_ISDIR(status.st_mode)) return "is no folder";
  if (status.st_uid != geteuid()) return "belongs to another user";
  if ((status.st_mode & 022) != 0) return "can be written by others";
  return std::nullopt;
}

bool open_to_all(const std::string& folder) {
  struct stat status {};
  return stat(folder.c_str(), &status) == 0 && (status.st_mode & S_IWOTH) != 0 &&
         (status.st_mode & S_ISVTX) == 0;
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

bool somebody_listens(const std::string& path) {
  const Descriptor probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const sockaddr_un address = address_of(path);
  // EAGAIN (its queue is full) and EACCES (it is not for us) also mean that somebody listens.
  return connect(probe.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
         (errno != ECONNREFUSED && errno != ENOENT);
}

}  // namespace

Descriptor wake_descriptor() {
  Descriptor made(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (made.number() < 0) throw Unavailable(std::string("no file descriptor: ") + std::strerror(errno));
  return made;
}

std::string local_endpoint(std::string_view name) {
  return std::string(kIpc).append(default_folder()).append("/").append(name);
}

std::optional<std::string> endpoint_fault(std::string_view endpoint, bool encrypted) {
  const std::string shown = "'" + std::string(endpoint) + "'";
  if (endpoint.starts_with("ipc://@") ||
      (endpoint.starts_with(kIpc) && endpoint.find('\0') != endpoint.npos)) {
    return shown +
           " is an abstract socket, which has neither owner nor permissions; give a path in a folder that is "
           "yours: ipc:///run/palisade/events";
  }
  if (endpoint.starts_with(kIpc) && endpoint.size() > kIpc.size() &&
      endpoint.size() - kIpc.size() < sizeof(sockaddr_un::sun_path)) {
    return std::nullopt;
  }
  if (endpoint.starts_with(kIpc) && endpoint.size() > kIpc.size())
    return shown + " is longer than the 107 bytes that a socket's path may have";
  const auto parts = host_and_port(endpoint);
  if (!parts) return shown + " is no endpoint; give tcp://127.0.0.1:5557 or ipc:///run/palisade/events";
  if (!port_of(parts->port)) return shown + " has no port; give tcp://127.0.0.1:5557";
  in_addr address{};
  const bool four = inet_pton(AF_INET, std::string(parts->host).c_str(), &address) == 1;
  const bool loopback =
      parts->host == "localhost" || parts->host == "[::1]" || (four && ntohl(address.s_addr) >> 24 == 127);
  if (!loopback && !encrypted)
    return shown +
           " would publish to the network without encryption; use 127.0.0.1 or ipc://, or give `keys:` "
           "(`palisade "
           "keys new`)";
  if (!loopback && !four && parts->host != "[::]")
    return shown + " is no address of this machine; give one in numbers, or tcp://0.0.0.0:5557 for all";
  return std::nullopt;
}

ServiceAddress service_address(const std::string& endpoint) {
  const auto parts = host_and_port(endpoint);
  if (parts && !parts->port.empty()) {
    const bool bracketed = parts->host.starts_with("[") && parts->host.ends_with("]");
    return {.host = std::string(bracketed ? parts->host.substr(1, parts->host.size() - 2) : parts->host),
            .port = std::string(parts->port)};
  }
  const bool is_path = endpoint.starts_with(kIpc) && endpoint.size() > kIpc.size() &&
                       endpoint[kIpc.size()] != '@' &&
                       endpoint.size() - kIpc.size() < sizeof(sockaddr_un::sun_path);
  if (!is_path) {
    throw UsageError("'" + endpoint +
                     "' is no endpoint; give tcp://127.0.0.1:5557 or ipc:///run/palisade/events");
  }
  return {.path = endpoint.substr(kIpc.size())};
}

Listener::Listener(const std::string& endpoint, const std::string& setting, bool encrypted)
    : endpoint_(endpoint), setting_(setting) {
  if (const auto fault = endpoint_fault(endpoint, encrypted)) throw Unavailable(*fault);
  if (endpoint.starts_with(kIpc)) {
    listen_on_path(endpoint.substr(kIpc.size()));
  } else {
    const auto parts = host_and_port(endpoint);
    listen_on_port(parts->host, parts->port);
  }
  if (listen(socket_.number(), kWaitingPeers) != 0) fail(std::strerror(errno));
}

void Listener::fail(const std::string& why) const {
  throw Unavailable("cannot listen on " + endpoint_ + ": " + why + "; choose another with " + setting_);
}

void Listener::listen_on_path(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  if (folder == default_folder()) {
    if (const auto fault = fault_of_private(folder)) fail(folder + " " + *fault);
  }
  if (open_to_all(folder.empty() ? "." : folder)) fail("anybody can replace files in its folder");
  lock_ = Descriptor(
      open((path + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
  struct stat status {};
  if (lock_.number() < 0) {
    fail(errno == ENOENT || errno == ENOTDIR ? "its folder is missing; create it"
                                             : path + ".lock: " + std::strerror(errno));
  }
  if (fstat(lock_.number(), &status) != 0 || !S_ISREG(status.st_mode))
    fail(path + ".lock is no regular file");
  if (flock(lock_.number(), LOCK_EX | LOCK_NB) != 0) fail("it is in use by another palisade; stop that");
  if (lstat(path.c_str(), &status) == 0) {
    if (!S_ISSOCK(status.st_mode)) fail("what stands there is no socket, and is left alone; remove it");
    if (somebody_listens(path)) fail("it is in use by another program; stop that");
    if (unlink(path.c_str()) != 0)
      fail(std::string("the socket that is left there cannot be removed: ") + std::strerror(errno));
  }
  socket_ = Descriptor(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const sockaddr_un address = address_of(path);
  fchmod(socket_.number(), 0600);  // nobody may connect until the group is set, whatever the umask
  if (socket_.number() < 0 ||
      bind(socket_.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    fail(std::strerror(errno));
  if (lstat(path.c_str(), &status) != 0) fail(std::strerror(errno));
  path_ = path;
  file_ = {status.st_dev, status.st_ino};
  chmod(path.c_str(), kSocketMode);
}

void Listener::listen_on_port(std::string_view host, std::string_view port) {
  const bool six = host.starts_with('[');
  sockaddr_in6 address6{};
  address6.sin6_family = AF_INET6;
  address6.sin6_port = htons(std::uint16_t(*port_of(port)));
  address6.sin6_addr = host == "[::]" ? in6addr_any : in6addr_loopback;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = address6.sin6_port;
  inet_pton(AF_INET, host == "localhost" ? "127.0.0.1" : std::string(host).c_str(), &address.sin_addr);
  auto* const any = six ? reinterpret_cast<sockaddr*>(&address6) : reinterpret_cast<sockaddr*>(&address);
  socklen_t size = six ? sizeof address6 : sizeof address;
  socket_ = Descriptor(socket(any->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int one = 1;
  setsockopt(socket_.number(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (socket_.number() < 0 || bind(socket_.number(), any, size) != 0)
    fail(errno == EADDRINUSE ? "the port is in use; stop its user" : std::strerror(errno));
  getsockname(socket_.number(), any, &size);
  const int bound = ntohs(six ? address6.sin6_port : address.sin_port);
  endpoint_ = format("{}{}:{}", kTcp, host == "localhost" ? "127.0.0.1" : host, bound);
}

Listener::~Listener() {
  struct stat status {};
  if (path_.empty() || lstat(path_.c_str(), &status) != 0) return;
  if (file_ == std::pair<unsigned long, unsigned long>(status.st_dev, status.st_ino)) unlink(path_.c_str());
}

}  // namespace palisade
