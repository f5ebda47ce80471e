#include "ingest/rtsp/rtsp_address.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>

#include "base/format.h"
#include "base/percent_encoding.h"
#include "base/redaction.h"
#include "ingest/source/redirect_rule.h"
#include "ingest/source/url.h"

namespace palisade {
namespace {

constexpr auto kNone = std::string_view::npos;
constexpr int kRtspPort = 554;
constexpr int kRtspsPort = 322;

SourceError refused_address(const SourceOptions& options, const std::string& why) {
  return {SourceFault::kRefused, redact_text(redact_url(options.url), options.password) + ": " + why};
}

std::string login_encoded(std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = byte > 0x20 && byte != 0x7f && std::string_view("@/:?#%\"<>\\").find(c) == kNone;
    out += plain ? std::string(1, c) : std::string{'%', kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return out;
}

struct HostPort {
  std::string host;
  std::optional<int> port;
};

// Nothing where the text is no HOST, HOST:PORT, [IPV6] or [IPV6]:PORT.
std::optional<HostPort> host_and_port(std::string_view text) {
  const std::size_t close = text.starts_with('[') ? text.find(']') : 0;
  if (close == kNone) return std::nullopt;
  const std::size_t colon = text.find(':', close);
  const std::string_view host = text.substr(0, colon);
  const bool spelled = !host.empty() && std::ranges::none_of(host, [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || std::string_view("\"<>\\^`{|}@/?#").find(c) != kNone;
  });
  if (!spelled) return std::nullopt;
  if (colon == kNone || colon + 1 == text.size()) return HostPort{plain_host(host), {}};
  int port = 0;
  const std::string_view digits = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size() || port < 1 || port > 65'535)
    return std::nullopt;
  return HostPort{plain_host(host), port};
}

struct Split {
  std::string_view user_information;
  bool has_credentials = false;
  std::string_view authority;
  std::string_view target;
};

// The authority ends at the first '/', '?' or '#' if that leaves HOST:PORT. Otherwise everything before the
// last '@' is user information.
Split split_at(std::string_view rest, std::size_t authority_end) {
  Split split{.authority = rest.substr(0, authority_end), .target = rest.substr(authority_end)};
  if (const std::size_t at = split.authority.rfind('@'); at != kNone) {
    split.user_information = split.authority.substr(0, at);
    split.authority.remove_prefix(at + 1);
    split.has_credentials = true;
  }
  return split;
}

Split split_of(std::string_view rest) {
  const std::size_t end = std::min(rest.find_first_of("/?#"), rest.size());
  const Split plain = split_at(rest, end);
  const std::size_t at = rest.rfind('@');
  if (host_and_port(plain.authority) || at == kNone || at < end) return plain;
  return split_at(rest, std::min(rest.find_first_of("/?#", at), rest.size()));
}

// "admin:12/34@camera" and "admin:a@b/c@camera" do not tell where the password ends.
bool ambiguous(const Split& split) {
  if (split.target.find('@') == kNone || split.authority.starts_with('[')) return false;
  const bool named = std::ranges::any_of(
      split.authority, [](char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; });
  return named && (split.has_credentials || split.authority.find(':') != kNone);
}

std::optional<RtspAddress> parsed(std::string_view url, Split& split) {
  const std::string scheme = scheme_of(url);
  if ((scheme != "rtsp" && scheme != "rtsps") || !url.substr(scheme.size()).starts_with("://"))
    return std::nullopt;
  split = split_of(url.substr(scheme.size() + 3));
  const auto place = host_and_port(split.authority);
  if (!place) return std::nullopt;
  RtspAddress address{.secure = scheme == "rtsps", .host = place->host, .target = std::string(split.target)};
  address.port = place->port.value_or(address.secure ? kRtspsPort : kRtspPort);
  if (!address.target.empty() && address.target.front() != '/') address.target.insert(0, "/");
  return address;
}

}  // namespace

std::string RtspAddress::url() const {
  const std::string shown_host = host.find(':') == std::string::npos ? host : "[" + host + "]";
  const bool usual = port == (secure ? kRtspsPort : kRtspPort);
  return (secure ? "rtsps://" : "rtsp://") + shown_host + (usual ? "" : format(":{}", port)) + target;
}

std::string RtspAddress::url_with_credentials() const {
  if (username.empty() && password.empty()) return url();
  std::string whole = url();
  return whole.insert(whole.find("://") + 3, login_encoded(username) + ":" + login_encoded(password) + "@");
}

RtspAddress rtsp_address(const SourceOptions& options) {
  Split split;
  std::optional<RtspAddress> address = parsed(options.url, split);
  if (!address) {
    throw refused_address(options,
                          "is no address of a camera: write rtsp://HOST:PORT/PATH, and user name "
                          "and password beside it (username:, password:)");
  }
  if (ambiguous(split)) {
    throw refused_address(options,
                          "may be read in two ways, because of the '@' behind a '/': give user name "
                          "and password beside it (username:, password:), or write '@' as %40");
  }
  const std::size_t colon = split.user_information.find(':');
  address->username = percent_decoded(split.user_information.substr(0, colon));
  if (colon != kNone) address->password = percent_decoded(split.user_information.substr(colon + 1));
  if (!options.username.empty() || !options.password.empty()) {
    address->username = options.username;
    address->password = options.password;
  }
  return *address;
}

RtspAddress redirected_rtsp(const RtspAddress& from, std::string_view location,
                            const SourceOptions& options) {
  Split split;
  // A path alone means the same server.
  const bool path = location.starts_with('/') && !location.starts_with("//");
  std::optional<RtspAddress> to = from;
  if (path) {
    to->target = location;
  } else {
    to = parsed(location, split);
  }
  if (!to) {
    const std::string scheme = scheme_of(location);
    throw refused_address(options, scheme.empty() || scheme.starts_with("rtsp")
                                       ? "redirects to what is no address: give the stream's own address"
                                       : "redirects to another kind of address (" + scheme +
                                             "): give the stream's own address");
  }
  if (from.secure && !to->secure) {
    throw refused_address(options,
                          "redirects from rtsps to rtsp, where everybody on the way can see along: if "
                          "that is right, give that address instead");
  }
  if (!may_redirect(from.host, to->host, to->port, options.redirect_hosts)) {
    throw refused_address(options, "redirects to another host (" + to->host +
                                       "): if that is right, give its "
                                       "address instead, or name it in redirect_hosts: of the stream");
  }
  to->username = to->same_server(from) ? from.username : "";
  to->password = to->same_server(from) ? from.password : "";
  return *to;
}

}  // namespace palisade
