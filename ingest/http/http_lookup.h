#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"

namespace palisade {

// The result of a name lookup: numeric addresses, or the reason why there are none.
struct Lookup {
  std::vector<std::string> addresses;
  std::string failure;  // "no such host is known"; empty if there are addresses
  bool in_time = true;  // false: the wait ended by a stop request or at `until`
};

// Looks up a host's addresses; may block for long.
using Resolve = std::function<Lookup(const std::string& host)>;
Lookup resolve_by_system(const std::string& host);

// The same with a bounded wait. The system's resolver cannot be interrupted, so it runs in a thread of its
// own, which is abandoned if the wait ends first.
Lookup look_up(const std::string& host, const Resolve& resolve, const std::stop_token& stop,
               MonotonicTime until);

// Whether a host is an address such as "192.0.2.1" or "2001:db8::1%eth0", which needs no lookup.
bool is_numeric_host(const std::string& host);

}  // namespace palisade
