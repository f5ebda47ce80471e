#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "service/http/http_message.h"

namespace palisade {

// Which names a server goes by, and whose pages may ask it.
struct HttpNames {
  std::vector<std::string> hosts;
  std::vector<std::string> origins;
};

// 421 for a Host that is none of the server's: a page of another name that resolves to this machine (DNS
// rebinding). Names of this machine alone are known, and the address at which the client reached it.
// 403 for an Origin that is neither the server's own nor listed.
std::optional<HttpError> name_fault(const HttpRequest& request, const HttpNames& names);

// Who asks, where a proxy that is trusted asks for somebody: the last address of X-Forwarded-For becomes the
// peer, X-Forwarded-Proto says whether he came over TLS. A header that is none changes nothing.
void ask_for_peer(HttpRequest& request);

// The token of "Authorization: Bearer TOKEN", or of the cookie; empty: none.
std::string token_of(const HttpRequest& request);
inline constexpr std::string_view kTokenCookie = "palisade_token";

// 403 for what changes something by a cookie and does not say which page asks. A browser sends the cookie by
// itself, also for another page's form.
std::optional<HttpError> cookie_fault(const HttpRequest& request);

}  // namespace palisade
