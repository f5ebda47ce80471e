#include "service/http/http_wire.h"

#include <sys/socket.h>

#include <cstring>

#include "base/clock.h"
#include "base/time_text.h"

namespace palisade {

namespace asio = boost::asio;
namespace http = boost::beast::http;

std::optional<HttpMethod> method_of(http::verb verb) {
  switch (verb) {
    case http::verb::get:
      return HttpMethod::kGet;
    case http::verb::post:
      return HttpMethod::kPost;
    case http::verb::put:
      return HttpMethod::kPut;
    case http::verb::delete_:
      return HttpMethod::kDelete;
    default:
      return std::nullopt;
  }
}

// Without the body. False where the target is none.
bool read_head(const BeastRequest& message, HttpRequest& request) {
  for (const auto& field : message) {
    std::string name(field.name_string());
    for (char& c : name) c = c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c;
    request.headers[name] = std::string(field.value());
  }
  const auto target = message.target();
  return read_target({target.data(), target.size()}, request);
}

void set_head(http::response_header<>& message, const HttpResponse& response) {
  message.version(11);
  message.result(unsigned(response.status));
  message.set(http::field::content_type, response.type);
  message.set("X-Content-Type-Options", "nosniff");
  message.set("Referrer-Policy", "no-referrer");
  message.set(http::field::cache_control, "no-store");
  // What time it is here, for browsers whose own clock is wrong.
  message.set("Palisade-Now", time_text(wall_now()));
  for (const auto& [name, value] : response.headers) message.set(name, value);
}

std::string peer_of(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getpeername(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  if (address.ss_family == AF_UNIX) return {};
  asio::ip::tcp::endpoint endpoint;
  endpoint.resize(size);
  std::memcpy(endpoint.data(), &address, size);
  return endpoint.address().to_string();
}

}  // namespace palisade
