#pragma once

#include <optional>
#include <string>

#include "base/json.h"

namespace palisade {

// Where a running service is asked, and as whom.
struct ServiceAccess {
  std::string url;     // http://127.0.0.1:8420, https://cameras.example/palisade, or a Unix socket's path
  std::string token;   // empty: none, as on a Unix socket
  std::string tls_ca;  // PEM file of certificates to trust instead of the system's; empty: the system's
};

// The HTTP API of a running service, as a command asks it; one request at a time. It follows no redirection
// and uses no proxy.
class ServiceApi {
 public:
  // Throws UsageError for an address that is none, and for http:// to another machine: the token would pass
  // in the clear.
  explicit ServiceApi(ServiceAccess access);

  // Waits for the answer, however long the model takes. Nothing where it has no body. Throws Unavailable
  // where nobody answers or the service is busy, UsageError with the service's own words where it refuses.
  Json ask(const std::string& method, const std::string& path, const std::optional<Json>& body = {}) const;

 private:
  ServiceAccess access_;
  std::string socket_;  // path of a Unix socket, or empty
};

}  // namespace palisade
