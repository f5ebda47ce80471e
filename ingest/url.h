#pragma once

#include <string>
#include <string_view>

#include "ingest/redaction.h"

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
// "a%2Fb" of "a/b", and back; a '%' that no two digits follow stays.
std::string percent_encoded(std::string_view text);
std::string percent_decoded(std::string_view text);

}  // namespace palisade
