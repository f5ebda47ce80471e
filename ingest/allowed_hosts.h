#pragma once

#include <sys/socket.h>

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "ingest/source/networks.h"
#include "ingest/source/source.h"

namespace palisade {

// The addresses that the process of a camera may reach: those of its hosts, whatever the port, and where a
// host is a name, name servers at port 53 and the sockets of this machine's name services. One thread's.
class AllowedHosts {
 public:
  using Resolve = std::function<std::vector<HostAddress>(const std::string& host)>;

  // A host is a name or an address. Names are looked up when an address is asked for that is not known, once
  // in a few seconds at most. What they have been once they stay, for servers that name others each time.
  // Addresses outside `networks` are none of its hosts', whatever a name server says; empty: all may be.
  AllowedHosts(std::vector<std::string> hosts, Resolve resolve, std::vector<Network> networks = {});
  // Looks names up with the system's resolver, which may take long.
  explicit AllowedHosts(std::vector<std::string> hosts, std::vector<Network> networks = {});

  bool may_connect(const sockaddr_storage& address, socklen_t length);
  bool may_send(const sockaddr_storage& address, socklen_t length);

 private:
  bool may_reach(const HostAddress& address, int port);
  void add(const HostAddress& address);

  std::vector<std::string> names_;
  const Resolve resolve_;
  const std::vector<Network> networks_;
  std::set<HostAddress> known_;
  std::optional<MonotonicTime> looked_up_;
};

// The hosts of a source: its own and those that it may be redirected to.
std::vector<std::string> hosts_of(const SourceOptions& source);

// "192.0.2.7:554", to be printed.
std::string address_text(const sockaddr_storage& address, socklen_t length);

}  // namespace palisade
