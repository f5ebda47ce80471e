#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "base/descriptor.h"
#include "ingest/allowed_hosts.h"

namespace palisade {

inline constexpr std::string_view kNoLimitOfHosts = "no limit of hosts";

// Makes the connections of a confined child (ingest/confinement.h) in its stead, where they lead to its own
// hosts, and refuses all others. Has a thread of its own, because names may have to be looked up; one that
// does not come back is left behind.
class ConnectionGuard {
 public:
  // `notifications` of the child's filter. `name` is the stream's, for the log.
  ConnectionGuard(Descriptor notifications, pid_t child, AllowedHosts hosts, std::string name);
  ~ConnectionGuard();
  ConnectionGuard(const ConnectionGuard&) = delete;
  ConnectionGuard& operator=(const ConnectionGuard&) = delete;

  // "hosts" where it holds; else what the system does not allow it to do.
  std::string_view in_force() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
  std::thread thread_;
};

}  // namespace palisade
