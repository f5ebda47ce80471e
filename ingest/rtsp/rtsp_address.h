#pragma once

#include <string>
#include <string_view>

#include "ingest/source/source.h"

namespace palisade {

// An rtsp(s) address taken apart as both readers need it: they are given the address without credentials, and
// those beside it.
struct RtspAddress {
  bool secure = false;
  std::string host;  // as plain_host() writes it
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

// The address of a configuration. Credentials of the fields come before those in the URL, which may be
// percent-encoded or hold '@', ':', '?', '#' and '/' as they are, where nothing else can be meant. Throws
// SourceError.
RtspAddress rtsp_address(const SourceOptions& options);

// Where `location`, which the camera at `from` names, leads: judged before any name is looked up. rtsp(s)
// alone, never from rtsps to rtsp, no other host but those that may be redirected to; credentials stay behind
// where server or port are others, and those in `location` are dropped. Throws SourceError.
RtspAddress redirected_rtsp(const RtspAddress& from, std::string_view location, const SourceOptions& options);

}  // namespace palisade
