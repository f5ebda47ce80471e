#include "service/http/request_check.h"

#include <algorithm>

#include "base/format.h"

namespace palisade {
namespace {

constexpr std::string_view kBearer = "bearer ";
constexpr std::size_t kMaxAddress = 45;  // of an IPv6 address with an IPv4 one at its end

std::string lower(std::string_view text) {
  std::string lowered(text);
  for (char& c : lowered) c = c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c;
  return lowered;
}

bool is_bearer(std::string_view authorization) {
  return lower(authorization.substr(0, kBearer.size())) == kBearer;
}

// "localhost" of "localhost:8420", "[::1]" of "[::1]:8420".
std::string without_port(std::string_view host) {
  const std::size_t bracket = host.rfind(']'), colon = host.rfind(':');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  return lower(has_port ? host.substr(0, colon) : host);
}

bool is_known(const std::string& host, const std::string& own_address,
              const std::vector<std::string>& hosts) {
  constexpr std::string_view kOfThisMachine[] = {"localhost", "127.0.0.1", "[::1]"};
  const bool own = !own_address.empty() && (host == own_address || host == format("[{}]", own_address));
  return own || std::ranges::find(kOfThisMachine, host) != std::end(kOfThisMachine) ||
         std::ranges::any_of(hosts, [&](const std::string& known) { return lower(known) == host; });
}

}  // namespace

std::optional<HttpError> name_fault(const HttpRequest& request, const HttpNames& names) {
  const std::string host = request.header("host");
  if (!is_known(without_port(host), request.own_address, names.hosts))
    return HttpError{
        .status = 421,
        .message = format("this server is not called '{}'; add it to http.hosts", host.substr(0, 255)),
        .code = "unknown_host"};
  const std::string origin = lower(request.header("origin"));
  if (origin.empty()) return std::nullopt;
  const std::string own = lower(host);
  const bool known =
      origin == "http://" + own || origin == "https://" + own ||
      std::ranges::any_of(names.origins, [&](const std::string& one) { return lower(one) == origin; });
  if (known) return std::nullopt;
  return HttpError{.status = 403,
                   .message = format("pages of '{}' may not ask this server; add it to http.origins",
                                     origin.substr(0, 255)),
                   .code = "unknown_origin"};
}

void ask_for_peer(HttpRequest& request) {
  std::string peer = request.header("x-forwarded-for");
  peer.erase(0, peer.rfind(',') + 1);
  std::erase(peer, ' ');
  constexpr std::string_view kOfAddresses = "0123456789abcdefABCDEF.:";
  if (!peer.empty() && peer.size() <= kMaxAddress &&
      peer.find_first_not_of(kOfAddresses) == std::string::npos)
    request.peer = peer;
  if (lower(request.header("x-forwarded-proto")) == "https") request.secure = true;
}

std::string token_of(const HttpRequest& request) {
  const std::string authorization = request.header("authorization");
  if (is_bearer(authorization)) return authorization.substr(kBearer.size());
  const std::string cookies = request.header("cookie"), cookie = format("{}=", kTokenCookie);
  const std::size_t at = cookies.find(cookie);
  if (at == std::string::npos || (at > 0 && cookies[at - 1] != ' ' && cookies[at - 1] != ';')) return {};
  const std::string rest = cookies.substr(at + cookie.size());
  return rest.substr(0, rest.find(';'));
}

std::optional<HttpError> cookie_fault(const HttpRequest& request) {
  const bool by_cookie = !is_bearer(request.header("authorization")) && !token_of(request).empty();
  if (!by_cookie || request.method == HttpMethod::kGet || !request.header("origin").empty())
    return std::nullopt;
  return HttpError{.status = 403,
                   .message =
                       "what changes something by a cookie needs an Origin, or a token: Authorization: "
                       "Bearer TOKEN",
                   .code = "unknown_origin"};
}

}  // namespace palisade
