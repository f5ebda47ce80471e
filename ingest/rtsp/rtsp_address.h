#pragma once

#include <string>
#include <string_view>

#include "ingest/source/source.h"

namespace palisade {

// The parts of an rtsp(s) address. Readers get the address and the credentials separately.
struct RtspAddress {
  bool secure = false;
  std::string host;  // normalised by plain_host()
  int port = 554;
  std::string target;  // path and query, with the '/'
  std::string username;
  std::string password;

  std::string url() const;                   // without credentials
  std::string url_with_credentials() const;  // percent-encoded
  bool same_server(const RtspAddress& other) const {
    return secure == other.secure && host == other.host && port == other.port;
  }
};

// Parses the address of a configuration. The fields `username` and `password` win over credentials in the
// URL, which may be percent-encoded, or hold '@', ':', '?', '#' and '/' where that is unambiguous. Throws
// SourceError.
RtspAddress rtsp_address(const SourceOptions& options);

// The address of a redirection from `from`, judged before any name is looked up: rtsp(s) alone, never from
// rtsps to rtsp, to the same host or those of redirect_hosts. Credentials are kept for the same host and port
// alone, and those in `location` are dropped. Throws SourceError.
RtspAddress redirected_rtsp(const RtspAddress& from, std::string_view location, const SourceOptions& options);

}  // namespace palisade
