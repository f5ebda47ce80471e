#pragma once

#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <optional>
#include <string>

#include "service/http/http_message.h"

namespace palisade {

// Between Beast's messages and ours.
using BeastRequest = boost::beast::http::request<boost::beast::http::string_body>;

std::optional<HttpMethod> method_of(boost::beast::http::verb verb);

// Headers and target of a request, without its body. False where the target is none.
bool read_head(const BeastRequest& message, HttpRequest& request);

// Status and headers of a response, those of every response among them.
void set_head(boost::beast::http::response_header<>& message, const HttpResponse& response);

// The address of a connection's other end; empty on a Unix socket.
std::string peer_of(int socket);

}  // namespace palisade
