#pragma once

#include <string>
#include <string_view>

namespace palisade {

// The URL with its user information and any query value replaced by "***", safe to print.
std::string redact_url(std::string_view url);
// Replaces every URL's credentials in a free text (a library's own message) and every occurrence of `secret`.
std::string redact_text(std::string_view text, std::string_view secret = {});
// "rtsp" of "rtsp://...", lower case; empty for a plain path. Everything before a ':' that no '/' precedes
// counts as a scheme, so that none of FFmpeg's forms passes for a path: "a:b.mp4" must be given as
// "./a:b.mp4".
std::string scheme_of(std::string_view url);
// The host's name or address, lower case, without port and brackets; empty where there is none.
std::string host_of(std::string_view url);
// True for a plain path, a file: and a folder: URL.
bool names_file(std::string_view url);
// What such a path or URL names.
std::string path_of(std::string_view url);
// Puts user name and password into the URL's authority, percent-encoded.
std::string with_credentials(std::string_view url, std::string_view username, std::string_view password);

}  // namespace palisade
