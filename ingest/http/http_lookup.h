#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"

namespace palisade {

// What looking a name up came to: numeric addresses, or the reason why there are none.
struct Lookup {
  std::vector<std::string> addresses;
  std::string failure;  // "no such host is known"; empty where there are addresses
  bool in_time = true;  // false: stopped, or `until` has passed
};

// Asks the system for a host's addresses; may wait long.
using Resolve = std::function<Lookup(const std::string& host)>;
Lookup resolve_by_system(const std::string& host);

// The same with a bounded wait. The system's resolver cannot be interrupted: it works in a thread of its own,
// which is left behind where the wait ends before it.
Lookup look_up(const std::string& host, const Resolve& resolve, const std::stop_token& stop,
               MonotonicTime until);

// True for "192.0.2.1" and "2001:db8::1%eth0", which need no looking up.
bool is_numeric_host(const std::string& host);

}  // namespace palisade
