#pragma once

#include <span>
#include <string>

namespace palisade {

struct Credentials {
  std::string username;
  std::string password;
  bool operator==(const Credentials&) const = default;
};

// Where an http(s) request goes, as libcurl reads the address: without credentials, hosts in one spelling.
struct HttpAddress {
  bool secure = false;
  std::string host;  // as plain_host() writes it, with an IPv6 zone behind a '%'
  int port = 80;
  std::string target;  // path and query

  std::string url() const;
  // "host", or "host:port" where the port is not the usual one.
  std::string name() const;
  // The scope of credentials.
  bool same_origin(const HttpAddress& other) const {
    return secure == other.secure && host == other.host && port == other.port;
  }
  bool operator==(const HttpAddress&) const = default;
};

// Reads an address of the configuration; user name and password of it go to `in_url`. Throws SourceError.
HttpAddress http_address(const std::string& url, Credentials& in_url);

// Where `location`, which the server at `from` gave, leads. Judged before any name is looked up: http and
// https alone, never from https to http, no other host but those allowed. User names in it are dropped.
// `shown` begins the messages. Throws SourceError.
HttpAddress redirected(const HttpAddress& from, const std::string& location,
                       std::span<const std::string> redirect_hosts, const std::string& shown);

}  // namespace palisade
