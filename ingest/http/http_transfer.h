#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "ingest/http/http_address.h"
#include "ingest/http/http_answer.h"

namespace palisade {

struct HttpTls {
  std::string ca;  // a file of certificates to trust instead of the system's; empty: the system's
  bool verify = true;
};

struct HttpRequest {
  HttpAddress address;
  std::vector<std::string> pinned;  // the only numeric addresses to connect to; empty for a numeric host
  std::optional<Credentials> credentials;  // nothing where they are not for this origin
  std::optional<std::int64_t> from;        // the first byte asked for; nothing asks for no range
};

// One request at a time through libcurl, its only door beside http_address.cc. Nothing is followed,
// decompressed, remembered or read from the environment: neither redirections nor cookies, .netrc or proxies.
// Used by one thread; every wait ends at `until` and at a stop.
class HttpTransfer {
 public:
  // `shown` begins the messages of errors.
  HttpTransfer(std::string shown, HttpTls tls, std::stop_token stop);
  ~HttpTransfer();
  HttpTransfer(const HttpTransfer&) = delete;
  HttpTransfer& operator=(const HttpTransfer&) = delete;

  // Drops the request before, sends this one and waits for the headers of its answer, whatever they say.
  // Throws SourceError.
  const HttpAnswer& request(const HttpRequest& request, MonotonicTime until);
  // Bytes of the body, as soon as there are any; 0 at its end. Throws SourceError: kStalled at `until`.
  std::size_t read(std::span<std::byte> out, MonotonicTime until);
  // How far the request has come.
  enum class Progress { kNone, kConnected, kSecured };
  Progress progress() const;
  // True where the body ended as its headers said it would.
  bool ended() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace palisade
