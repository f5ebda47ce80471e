#include "ingest/url.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <system_error>

namespace palisade {
namespace {

constexpr std::string_view kHidden = "***";
constexpr auto npos = std::string_view::npos;

char lower(char c) {
  return char(std::tolower(static_cast<unsigned char>(c)));
}

bool is_space(char c) {
  return std::isspace(static_cast<unsigned char>(c)) != 0;
}

// Lower case; empty where a '/' comes first.
std::string before_colon(std::string_view url) {
  const std::size_t colon = url.find(':');
  if (colon == npos || url.substr(0, colon).find('/') != npos) return {};
  std::string start;
  for (const char c : url.substr(0, colon)) start += lower(c);
  return start;
}

constexpr std::array<std::string_view, 8> kSchemes = {"file",  "folder", "v4l2",  "http",
                                                      "https", "rtsp",   "rtsps", "gst"};
// What FFmpeg would take for an address without "//".
constexpr std::array<std::string_view, 20> kForbiddenSchemes = {
    "concat", "concatf", "pipe", "fd",  "data", "subfile", "crypto", "cache", "async", "tee",
    "lavfi",  "zmq",     "hls",  "md5", "tcp",  "udp",     "rtp",    "rtmp",  "unix",  "prompeg"};

std::string percent_encode(std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && (std::isalnum(byte) || c == '-' || c == '.' || c == '_' || c == '~')) {
      out += c;
    } else {
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return out;
}

std::string replace_all(std::string_view text, std::string_view from) {
  std::string out;
  for (std::size_t at; (at = text.find(from)) != npos; text.remove_prefix(at + from.size())) {
    out.append(text.substr(0, at)).append(kHidden);
  }
  return out.append(text);
}

// "a=1&b" becomes "a=***&***": a parameter without a value may be a token itself.
std::string redact_query(std::string_view query) {
  std::string out;
  while (true) {
    const std::size_t end = query.find('&');
    const std::string_view part = query.substr(0, end);
    if (const std::size_t equals = part.find('='); equals != npos) out.append(part.substr(0, equals + 1));
    if (!part.empty()) out.append(kHidden);
    if (end == npos) return out;
    out += '&';
    query.remove_prefix(end + 1);
  }
}

std::string redact_after_authority(std::string_view rest) {
  const std::size_t end = rest.find_first_of("?#");
  if (end == npos) return std::string(rest);
  std::string out(rest.substr(0, end + 1));
  return rest[end] == '?' ? out + redact_query(rest.substr(end + 1)) : out.append(kHidden);
}

// A password may stand in the URL without being encoded, so that it holds '/', '?' or '@' itself: everything
// up to the last '@' is taken for user information. With a '?' or '#' before that '@' nobody can tell a
// password from a query, and nothing of either is shown.
std::string redact_rest(std::string_view rest) {
  const std::size_t at = rest.rfind('@');
  if (at == npos) return redact_after_authority(rest);
  if (rest.substr(0, at).find_first_of("?#") != npos) return std::string(kHidden);
  return std::string(kHidden) + "@" + redact_after_authority(rest.substr(at + 1));
}

bool names_a_secret(std::string_view key) {
  std::string name;
  for (const char c : key) name += lower(c);
  constexpr std::array<std::string_view, 7> kEndings = {"pw",    "password", "passphrase", "passwd",
                                                        "token", "secret",   "key"};
  for (const std::string_view ending : kEndings) {
    if (std::string_view(name).ends_with(ending)) return true;
  }
  return false;
}

// End of the value that starts at `from`: a quoted one may hold spaces.
std::size_t value_end(std::string_view line, std::size_t from) {
  const char quote = from < line.size() ? line[from] : ' ';
  std::size_t i = from;
  if (quote == '"' || quote == '\'') {
    for (i = from + 1; i < line.size() && line[i] != quote; ++i) {
      if (line[i] == '\\') ++i;
    }
    return std::min(i + 1, line.size());
  }
  while (i < line.size() && !is_space(line[i])) i += line[i] == '\\' ? 2 : 1;
  return std::min(i, line.size());
}

// Values of properties such as user-pw= in a pipeline description.
std::string redact_properties(std::string_view line) {
  std::string out;
  std::size_t shown = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] != '=') continue;
    std::size_t key = i;
    while (key > shown && is_space(line[key - 1])) --key;
    const std::size_t key_end = key;
    while (key > shown && !is_space(line[key - 1]) && line[key - 1] != '=') --key;
    if (!names_a_secret(line.substr(key, key_end - key))) continue;
    std::size_t value = i + 1;
    while (value < line.size() && is_space(line[value])) ++value;
    out.append(line.substr(shown, value - shown)).append(kHidden);
    shown = value_end(line, value);
    i = shown - 1;
  }
  return out.append(line.substr(shown));
}

}  // namespace

std::string scheme_of(std::string_view url) {
  const std::string start = before_colon(url);
  const std::string scheme = start.substr(0, start.find(','));  // "subfile,,start,0,:" of FFmpeg's
  const bool spelled =
      !scheme.empty() && std::isalpha(static_cast<unsigned char>(scheme.front())) != 0 &&
      std::ranges::all_of(scheme, [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '+' || c == '-' || c == '.';
      });
  if (!spelled) return {};
  if (scheme == start && url.substr(start.size() + 1).starts_with("//")) return scheme;
  if (std::ranges::find(kSchemes, scheme) != kSchemes.end()) return scheme;
  // A file may have such a name all the same.
  std::error_code error;
  const bool forbidden = std::ranges::find(kForbiddenSchemes, scheme) != kForbiddenSchemes.end();
  return forbidden && !std::filesystem::exists(url, error) ? scheme : std::string();
}

bool is_read(std::string_view scheme) {
  return scheme.empty() || std::ranges::find(kSchemes, scheme) != kSchemes.end();
}

std::string redact_url(std::string_view url) {
  // More than are addresses: what may hide a password is hidden.
  const std::string scheme = before_colon(url);
  if (scheme.empty() || (scheme_of(url).empty() && url.find('@') == npos)) return std::string(url);  // a path
  if (scheme == "gst") return redact_text(redact_properties(url));
  if (const std::size_t authority = url.find("://"); authority != npos) {
    return std::string(url.substr(0, authority + 3)) + redact_rest(url.substr(authority + 3));
  }
  return redact_rest(url);
}

std::string redact_text(std::string_view text, std::string_view secret) {
  std::string plain(text);
  if (!secret.empty()) plain = replace_all(replace_all(plain, secret), percent_encode(secret));
  std::string out;
  std::string_view rest = plain;
  for (std::size_t at; (at = rest.find("://")) != npos;) {
    std::size_t end = at + 3;
    // Quotes do not end a URL: a password may hold them.
    while (end < rest.size() && !is_space(rest[end])) ++end;
    std::size_t shown_end = end;
    while (shown_end > at + 3 && std::string_view("\"'),.;:]>").find(rest[shown_end - 1]) != npos)
      --shown_end;
    out.append(rest.substr(0, at + 3)).append(redact_rest(rest.substr(at + 3, shown_end - at - 3)));
    out.append(rest.substr(shown_end, end - shown_end));
    rest.remove_prefix(end);
  }
  return out.append(rest);
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
  return scheme.empty() || scheme == "file" || scheme == "folder";
}

std::string path_of(std::string_view url) {
  const std::string scheme = scheme_of(url);
  if (scheme != "file" && scheme != "folder") return std::string(url);
  url.remove_prefix(scheme.size() + 1);
  if (url.starts_with("//localhost/")) {
    url.remove_prefix(11);
  } else if (url.starts_with("//")) {
    url.remove_prefix(2);
  }
  std::string path;
  for (std::size_t i = 0; i < url.size(); ++i) {
    const auto digit = [&](std::size_t at) {
      const std::size_t value =
          std::string_view("0123456789abcdef").find(at < url.size() ? lower(url[at]) : '?');
      return value == npos ? -1 : int(value);
    };
    if (url[i] == '%' && digit(i + 1) >= 0 && digit(i + 2) >= 0) {
      path += char(digit(i + 1) * 16 + digit(i + 2));
      i += 2;
    } else {
      path += url[i];
    }
  }
  return path;
}

}  // namespace palisade
