#pragma once

#include <string>
#include <string_view>

namespace palisade {

// The address of the simulated street, a film that ships; sources get it as "street:" and the film's path,
// and read it as if it were taken while it is read.
inline constexpr std::string_view kStreetUrl = "street:";

// The scheme in lower case: "rtsp" of "rtsp://..."; empty for a path. A scheme is a word before "://". A word
// before a mere ':' counts only if Palisade or FFmpeg knows that scheme and no file has this name: "a:b.mp4",
// "C:x.mp4" and "2026-11-30T10:00:00.mp4" are paths.
std::string scheme_of(std::string_view url);
// Whether Palisade reads addresses of this scheme; the empty scheme stands for paths.
bool is_read(std::string_view scheme);
// The host name or address in lower case, without port and brackets; empty if there is none.
std::string host_of(std::string_view url);
// Whether this is a path, or a file:, folder: or street: URL.
bool names_file(std::string_view url);
// The path that such a URL names.
std::string path_of(std::string_view url);
// A URL that is safe to print. "***" replaces the user information, every value of the query, the fragment,
// and the rest of a path behind "user=", "password/" and the like, which some cameras use. What may be part
// of a password is hidden too: everything before the last '@', and a port that is not a number.
std::string redact_url(std::string_view url);

}  // namespace palisade
