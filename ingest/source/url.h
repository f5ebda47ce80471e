#pragma once

#include <string>
#include <string_view>

namespace palisade {

// "rtsp" of "rtsp://...", lower case; empty for a path. A scheme is a word before "://", or before ':' where
// it is one that is read here or that FFmpeg would follow (unless a file has that name): "a:b.mp4", "C:x.mp4"
// and "2026-11-30T10:00:00.mp4" are paths.
std::string scheme_of(std::string_view url);
// Whether addresses of this scheme, or paths, are read at all.
bool is_read(std::string_view scheme);
// The host's name or address, lower case, without port and brackets; empty where there is none.
std::string host_of(std::string_view url);
// True for a plain path, a file: and a folder: URL.
bool names_file(std::string_view url);
// What such a path or URL names.
std::string path_of(std::string_view url);
// An address that is safe to print: "***" stands for its user information, for every value of a query, for
// the fragment, and in a path for all that follows "user=", "password/" and the like, as some cameras have
// it. What can't be told from a password is hidden too: all before the last '@', a port that is no number.
std::string redact_url(std::string_view url);

}  // namespace palisade
