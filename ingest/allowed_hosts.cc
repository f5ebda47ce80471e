#include "ingest/allowed_hosts.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>

#include "base/format.h"
#include "base/log.h"
#include "ingest/source/url.h"

namespace palisade {
namespace {

constexpr std::chrono::seconds kBetweenLookUps{3};
constexpr int kNameServerPort = 53;
constexpr std::size_t kMaxKnown = 4'096;
const std::string kNameSockets[] = {"/run/systemd/resolve/io.systemd.Resolve", "/run/avahi-daemon/socket",
                                    "/var/run/nscd/socket", "/run/nscd/socket"};

HostAddress mapped_address(const in_addr& address) {
  HostAddress all{};
  all[10] = all[11] = 0xff;
  std::memcpy(all.data() + 12, &address, sizeof address);
  return all;
}

HostAddress whole_address(const in6_addr& address) {
  HostAddress all{};
  std::memcpy(all.data(), &address, sizeof address);
  return all;
}

// Nothing where the address is no IP address or cut short.
struct AddressAndPort {
  HostAddress host;
  int port;
};
std::optional<AddressAndPort> ip_of(const sockaddr_storage& address, socklen_t length) {
  if (address.ss_family == AF_INET && length >= sizeof(sockaddr_in)) {
    const auto& four = reinterpret_cast<const sockaddr_in&>(address);
    return AddressAndPort{mapped_address(four.sin_addr), ntohs(four.sin_port)};
  }
  if (address.ss_family == AF_INET6 && length >= offsetof(sockaddr_in6, sin6_scope_id)) {
    const auto& six = reinterpret_cast<const sockaddr_in6&>(address);
    return AddressAndPort{whole_address(six.sin6_addr), ntohs(six.sin6_port)};
  }
  return std::nullopt;
}

std::vector<HostAddress> addresses_of(const std::string& host) {
  const addrinfo hints{.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return {};
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> list(found, freeaddrinfo);
  std::vector<HostAddress> addresses;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    sockaddr_storage address{};
    std::memcpy(&address, each->ai_addr, std::min<std::size_t>(each->ai_addrlen, sizeof address));
    if (const auto ip = ip_of(address, each->ai_addrlen)) addresses.push_back(ip->host);
  }
  return addresses;
}

std::set<HostAddress> name_servers() {
  // What the resolver asks without any in its file, and systemd's.
  std::set<HostAddress> all = {*host_address_of("127.0.0.1"), *host_address_of("127.0.0.53")};
  std::ifstream file("/etc/resolv.conf");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string key, value;
    if (!(words >> key >> value) || key != "nameserver") continue;
    if (const auto address = host_address_of(value)) all.insert(*address);
  }
  return all;
}

}  // namespace

AllowedHosts::AllowedHosts(std::vector<std::string> hosts, Resolve resolve, std::vector<Network> networks)
    : resolve_(std::move(resolve)), networks_(std::move(networks)) {
  for (std::string& host : hosts) {
    if (const auto address = host_address_of(host)) {
      add(*address);
    } else if (!host.empty()) {
      names_.push_back(std::move(host));
    }
  }
}

AllowedHosts::AllowedHosts(std::vector<std::string> hosts, std::vector<Network> networks)
    : AllowedHosts(std::move(hosts), addresses_of, std::move(networks)) {}

void AllowedHosts::add(const HostAddress& address) {
  if (known_.size() < kMaxKnown && (networks_.empty() || holds(networks_, address))) known_.insert(address);
}

bool AllowedHosts::may_reach(const HostAddress& address, int port) {
  if (known_.contains(address)) return true;
  if (!names_.empty() && port == kNameServerPort && name_servers().contains(address)) return true;
  const MonotonicTime now = std::chrono::steady_clock::now();
  if (names_.empty() || (looked_up_ && now - *looked_up_ < kBetweenLookUps)) return false;
  for (const std::string& name : names_) {
    for (const HostAddress& found : resolve_(name)) add(found);
  }
  looked_up_ = std::chrono::steady_clock::now();
  return known_.contains(address);
}

bool AllowedHosts::may_connect(const sockaddr_storage& address, socklen_t length) {
  if (length < sizeof address.ss_family) return true;  // the kernel refuses it
  if (address.ss_family == AF_UNSPEC) return true;     // ends a connection
  if (address.ss_family == AF_UNIX) {
    const auto* const path = reinterpret_cast<const sockaddr_un&>(address).sun_path;
    const std::string name(path, strnlen(path, std::min<std::size_t>(length, sizeof(sockaddr_un)) -
                                                   offsetof(sockaddr_un, sun_path)));
    return !names_.empty() && std::ranges::find(kNameSockets, name) != std::end(kNameSockets);
  }
  return may_send(address, length);
}

bool AllowedHosts::may_send(const sockaddr_storage& address, socklen_t length) {
  if (address.ss_family == AF_NETLINK && length >= sizeof(sockaddr_nl)) {
    const auto& kernel = reinterpret_cast<const sockaddr_nl&>(address);
    return kernel.nl_pid == 0 && kernel.nl_groups == 0;
  }
  const auto ip = ip_of(address, length);
  return ip && may_reach(ip->host, ip->port);
}

std::vector<std::string> hosts_of(const SourceOptions& source) {
  std::vector<std::string> hosts;
  if (!names_file(source.url)) hosts.push_back(host_of(source.url));
  for (const std::string& entry : source.redirect_hosts) hosts.push_back(host_of("host://" + entry));
  std::erase(hosts, "");
  return hosts;
}

std::string address_text(const sockaddr_storage& address, socklen_t length) {
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  if (getnameinfo(reinterpret_cast<const sockaddr*>(&address), length, host.data(), host.size(), port.data(),
                  port.size(), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
    return format("an address of family {}", address.ss_family);
  return std::string(host.data()) + ":" + port.data();
}

}  // namespace palisade
