#include "ingest/source/url.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <system_error>

#include "base/percent_encoding.h"
#include "base/redaction.h"

namespace palisade {
namespace {

constexpr auto npos = std::string_view::npos;

char lower(char c) {
  return char(std::tolower(static_cast<unsigned char>(c)));
}

// The word before the first ':', in lower case; empty if a '/' comes first.
std::string before_colon(std::string_view url) {
  const std::size_t colon = url.find(':');
  if (colon == npos || url.substr(0, colon).find('/') != npos) return {};
  std::string start;
  for (const char c : url.substr(0, colon)) start += lower(c);
  return start;
}

constexpr std::array<std::string_view, 9> kSchemes = {"file",  "folder", "street", "v4l2", "http",
                                                      "https", "rtsp",   "rtsps",  "gst"};
// The schemes that FFmpeg accepts without "//".
constexpr std::array<std::string_view, 20> kForbiddenSchemes = {
    "concat", "concatf", "pipe", "fd",  "data", "subfile", "crypto", "cache", "async", "tee",
    "lavfi",  "zmq",     "hls",  "md5", "tcp",  "udp",     "rtp",    "rtmp",  "unix",  "prompeg"};

}  // namespace

std::string scheme_of(std::string_view url) {
  const std::string start = before_colon(url);
  const std::string scheme =
      start.substr(0, start.find(','));  // FFmpeg has forms such as "subfile,,start,0,:"
  const bool spelled =
      !scheme.empty() && std::isalpha(static_cast<unsigned char>(scheme.front())) != 0 &&
      std::ranges::all_of(scheme, [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '+' || c == '-' || c == '.';
      });
  if (!spelled) return {};
  if (scheme == start && url.substr(start.size() + 1).starts_with("//")) return scheme;
  if (std::ranges::find(kSchemes, scheme) != kSchemes.end()) return scheme;
  // A file may be named like that.
  std::error_code error;
  const bool forbidden = std::ranges::find(kForbiddenSchemes, scheme) != kForbiddenSchemes.end();
  return forbidden && !std::filesystem::exists(url, error) ? scheme : std::string();
}

bool is_read(std::string_view scheme) {
  return scheme.empty() || std::ranges::find(kSchemes, scheme) != kSchemes.end();
}

std::string host_of(std::string_view url) {
  const std::size_t start = url.find("://");
  if (start == npos) return {};
  std::string_view authority = url.substr(start + 3);
  authority = authority.substr(0, authority.find_first_of("/?#"));
  if (const std::size_t at = authority.rfind('@'); at != npos) authority.remove_prefix(at + 1);
  if (authority.starts_with('[')) {
    authority = authority.substr(1, authority.find(']') - 1);
  } else {
    authority = authority.substr(0, authority.find(':'));
  }
  std::string host;
  for (const char c : authority) host += lower(c);
  return host;
}

bool names_file(std::string_view url) {
  const std::string scheme = scheme_of(url);
  return scheme.empty() || scheme == "file" || scheme == "folder" || scheme == "street";
}

std::string path_of(std::string_view url) {
  const std::string scheme = scheme_of(url);
  if (scheme.empty() || !names_file(url)) return std::string(url);
  url.remove_prefix(scheme.size() + 1);
  if (scheme == "street") return std::string(url);
  if (url.starts_with("//localhost/")) {
    url.remove_prefix(11);
  } else if (url.starts_with("//")) {
    url.remove_prefix(2);
  }
  return percent_decoded(url);
}

std::string redact_url(std::string_view url) {
  const std::string scheme = scheme_of(url);
  const bool user = url.find('@') != npos;
  // Also for texts that are no valid address, because a password may hide in them.
  const std::size_t first_colon = url.find(':');
  const bool like_address = user && first_colon != npos && url.substr(0, first_colon).find('/') == npos;
  if (scheme.empty() && like_address) return redact_authority(url);
  // A path may contain an address.
  if (scheme.empty()) return url.find("://") == npos ? std::string(url) : redact_text(url);
  if (scheme == "gst") return redact_text(redact_properties(url));
  if (names_file(url) && !user) return std::string(url);
  if (const std::size_t authority = url.find("://"); authority != npos) {
    return std::string(url.substr(0, authority + 3)) + redact_authority(url.substr(authority + 3));
  }
  const std::size_t colon = scheme.size() + 1;
  return user ? redact_authority(url)
              : std::string(url.substr(0, colon)) + redact_path_and_query(url.substr(colon));
}

}  // namespace palisade
