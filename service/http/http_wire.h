#pragma once

#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "service/http/http_message.h"

namespace palisade {

// Between Beast's messages and ours.
using BeastRequest = boost::beast::http::request<boost::beast::http::string_body>;

std::optional<HttpMethod> method_of(boost::beast::http::verb verb);

// Headers and target of a request, without its body. False where the target is none, or who asks and
// whom stands twice.
bool read_head(const BeastRequest& message, HttpRequest& request);

// Status and headers of a response, those of every response among them.
void set_head(boost::beast::http::response_header<>& message, const HttpResponse& response);

// Of a request whose body is larger than its route takes; whose head cannot be read, or whose method is none
// of `methods`; whose body broke off or is too large.
HttpResponse size_refusal(std::size_t most);
HttpResponse head_refusal(const boost::system::error_code& error, bool known_method,
                          const std::string& methods);
HttpResponse body_refusal(const boost::system::error_code& error, std::size_t most);

// The addresses of a connection's other end and of its own; empty on a Unix socket.
std::string peer_of(int socket);
std::string own_address_of(int socket);

// To those who are one too many, or come past the proxy.
inline constexpr std::string_view kBusyAnswer =
    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
inline constexpr std::string_view kProxyAnswer =
    "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: 35\r\nConnection: close\r\n\r\n"
    "this is reached by its proxy alone\n";

// A whole answer to somebody who is not served, as far as it goes without waiting.
void send_at_once(int socket, std::string_view answer);

}  // namespace palisade
