#include "ingest/http/http_address.h"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <new>

#include "base/format.h"
#include "ingest/source/redirect_rule.h"
#include "ingest/source/source.h"
#include "ingest/source/url.h"

namespace palisade {
namespace {

constexpr unsigned kAsWritten = CURLU_PATH_AS_IS | CURLU_NON_SUPPORT_SCHEME;

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using Url = std::unique_ptr<CURLU, FreeUrl>;

Url new_url() {
  Url url(curl_url());
  if (url == nullptr) throw std::bad_alloc();
  return url;
}

std::string part(const Url& url, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url.get(), which, &text, flags) != CURLUE_OK) return {};
  const std::string out = text;
  curl_free(text);
  return out;
}

// Writes bytes that are not allowed in a request line as %XX.
std::string encoded(const std::string& target) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : target) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7f) {
      out += c;
    } else {
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return out;
}

HttpAddress address_of(const Url& url) {
  HttpAddress address;
  address.secure = part(url, CURLUPART_SCHEME) == "https";
  address.host = plain_host(part(url, CURLUPART_HOST));
  if (const std::string zone = part(url, CURLUPART_ZONEID); !zone.empty()) address.host += "%" + zone;
  address.port = std::atoi(part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT).c_str());
  const std::string query = part(url, CURLUPART_QUERY);
  address.target = encoded(part(url, CURLUPART_PATH) + (query.empty() ? "" : "?" + query));
  return address;
}

// Whether an unencoded password contains '/', '?' or '#', which end the authority: what precedes it then
// looks like a host with a port that is not a number.
bool password_ends_early(std::string_view url) {
  const std::size_t start = url.find("://");
  if (start == std::string_view::npos) return false;
  const std::string_view rest = url.substr(start + 3);
  const std::size_t end = rest.find_first_of("/?#");
  if (end == std::string_view::npos || rest.find('@', end) == std::string_view::npos) return false;
  const std::string_view authority = rest.substr(0, end);
  const std::string_view host = authority.substr(authority.rfind('@') + 1);
  const std::size_t colon = host.rfind(':');
  const bool odd_port = colon != std::string_view::npos && !host.starts_with('[') &&
                        host.find_first_not_of("0123456789", colon + 1) != std::string_view::npos;
  return host.empty() || host.starts_with(':') || odd_port;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = char(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Decodes %XX; a '%' without two hexadecimal digits behind it is kept.
std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = i + 2 < text.size() && text[i] == '%' ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    if (low < 0) {
      out += text[i];
    } else {
      out += char(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

// Removes user name and password from the URL. They may contain any character that does not end the
// authority.
std::string take_credentials(const std::string& url, Credentials& credentials) {
  credentials = {};
  const std::size_t start = url.find("://");
  if (start == std::string::npos) return url;
  const std::size_t end = std::min(url.find_first_of("/?#", start + 3), url.size());
  const std::size_t at = url.substr(0, end).rfind('@');
  if (at == std::string::npos || at < start + 3) return url;
  const std::string_view given = std::string_view(url).substr(start + 3, at - start - 3);
  const std::size_t colon = std::min(given.find(':'), given.size());
  credentials.username = decoded(given.substr(0, colon));
  if (colon < given.size()) credentials.password = decoded(given.substr(colon + 1));
  return url.substr(0, start + 3) + url.substr(at + 1);
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

SourceError refused(const std::string& shown, const std::string& why) {
  return {SourceFault::kRefused, shown + ": " + why};
}

}  // namespace

std::string HttpAddress::name() const {
  std::string text = host.find(':') == std::string::npos ? host : "[" + host + "]";
  if (const std::size_t zone = text.find('%'); zone != std::string::npos) text.insert(zone + 1, "25");
  return port == (secure ? 443 : 80) ? text : format("{}:{}", text, port);
}

std::string HttpAddress::url() const {
  return (secure ? "https://" : "http://") + name() + target;
}

HttpAddress http_address(const std::string& url, Credentials& in_url) {
  const std::string shown = redact_url(url);
  if (password_ends_early(url)) {
    throw refused(
        shown,
        "the address is cut by a / ? or # of its password: give username: and password: beside the url, "
        "or write that character as %2F, %3F or %23");
  }
  const Url parsed = new_url();
  const CURLUcode code =
      curl_url_set(parsed.get(), CURLUPART_URL, take_credentials(url, in_url).c_str(), kAsWritten);
  if (code != CURLUE_OK) {
    throw refused(shown, std::string("the address cannot be read (") + curl_url_strerror(code) +
                             "): write http://HOST:PORT/PATH");
  }
  HttpAddress address = address_of(parsed);
  if (!is_ascii(address.host)) {
    throw refused(shown, "the host's name has letters beyond ASCII: write it in its ASCII form, xn--...");
  }
  if (address.port == 0) throw refused(shown, "port 0 is none: give the server's port");
  return address;
}

HttpAddress redirected(const HttpAddress& from, const std::string& location,
                       std::span<const std::string> redirect_hosts, const std::string& shown) {
  const Url url = new_url();
  // URL parsers disagree about these characters, so such a location is refused.
  const bool doubtful = location.find('\\') != std::string::npos || std::ranges::any_of(location, [](char c) {
                          return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
                        });
  if (doubtful || curl_url_set(url.get(), CURLUPART_URL, from.url().c_str(), kAsWritten) != CURLUE_OK ||
      curl_url_set(url.get(), CURLUPART_URL, encoded(location).c_str(), kAsWritten) != CURLUE_OK) {
    throw refused(shown, "redirects to what is no address: give the stream's own address");
  }
  const std::string scheme = part(url, CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") {
    throw refused(shown, "redirects to another kind of address (" + scheme +
                             ":): if that is right, give its address instead");
  }
  const HttpAddress to = address_of(url);
  if (from.secure && !to.secure) {
    throw refused(shown,
                  "redirects from https to http, where everybody on the way can read along: if that is "
                  "right, give the http:// address instead");
  }
  if (!may_redirect(from.host, to.host, to.port, redirect_hosts)) {
    throw refused(shown,
                  "redirects to another host (" + to.name() +
                      "): if that is right, give its address instead, or name it in redirect_hosts: of "
                      "this stream");
  }
  return to;
}

}  // namespace palisade
