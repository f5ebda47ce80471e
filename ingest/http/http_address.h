#pragma once

#include <span>
#include <string>

namespace palisade {

struct Credentials {
  std::string username;
  std::string password;
  bool operator==(const Credentials&) const = default;
};

// The address of an http(s) request, as libcurl parses it; without credentials.
struct HttpAddress {
  bool secure = false;
  std::string host;  // in plain_host()'s spelling; an IPv6 zone follows a '%'
  int port = 80;
  std::string target;  // path and query

  std::string url() const;
  // "host", or "host:port" if the port is not the scheme's default.
  std::string name() const;
  // Credentials are sent to one origin only.
  bool same_origin(const HttpAddress& other) const {
    return secure == other.secure && host == other.host && port == other.port;
  }
  bool operator==(const HttpAddress&) const = default;
};

// Parses an address of the configuration; its user name and password are stored in `in_url`. Throws
// SourceError.
HttpAddress http_address(const std::string& url, Credentials& in_url);

// The target of a redirection to `location` by the server at `from`. Checked before any name is looked up:
// only http and https, never from https to http, only allowed hosts (may_redirect()). User names in it are
// dropped. Messages of errors begin with `shown`. Throws SourceError.
HttpAddress redirected(const HttpAddress& from, const std::string& location,
                       std::span<const std::string> redirect_hosts, const std::string& shown);

}  // namespace palisade
