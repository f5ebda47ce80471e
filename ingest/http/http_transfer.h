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
#include "ingest/http/http_reply.h"

namespace palisade {

struct HttpTls {
  std::string ca;  // PEM file of certificates to trust instead of the system's; empty: the system's
  bool verify = true;
};

struct HttpFetch {
  HttpAddress address;
  std::vector<std::string> pinned;  // the only numeric addresses to connect to; empty for a numeric host
  std::optional<Credentials> credentials;  // nothing if they belong to another origin
  std::optional<std::int64_t> from;        // first byte of the requested range; nothing: no range
};

// Makes one request at a time with libcurl. libcurl's redirections, decompression, cookies, .netrc and
// proxies of the environment are off. Not thread-safe. Every wait ends at `until` and at a stop request.
class HttpTransfer {
 public:
  // Messages of errors begin with `shown`.
  HttpTransfer(std::string shown, HttpTls tls, std::stop_token stop);
  ~HttpTransfer();
  HttpTransfer(const HttpTransfer&) = delete;
  HttpTransfer& operator=(const HttpTransfer&) = delete;

  // Drops the previous request, sends this one and returns the headers of its answer, whatever its status.
  // Throws SourceError.
  const HttpReply& request(const HttpFetch& request, MonotonicTime until);
  // Reads bytes of the body as soon as there are any; 0 at its end. Throws SourceError, at `until` with
  // kStalled.
  std::size_t read(std::span<std::byte> out, MonotonicTime until);
  // How far the request has come.
  enum class Progress { kNone, kConnected, kSecured };
  Progress progress() const;
  // Whether the body was received completely.
  bool ended() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace palisade
