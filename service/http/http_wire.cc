#include "service/http/http_wire.h"

#include <sys/socket.h>

#include <array>
#include <cstring>

#include "base/clock.h"
#include "base/format.h"
#include "base/time_text.h"

namespace palisade {

namespace asio = boost::asio;
namespace http = boost::beast::http;

namespace {
constexpr int kReadsOfRefused = 4;
}  // namespace

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

bool read_head(const BeastRequest& message, HttpRequest& request) {
  // What stands twice is read differently by a proxy and by its server.
  if (message.count(http::field::host) > 1 || message.count(http::field::authorization) > 1) return false;
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

// GCC 12 frees what is made within a co_await expression twice, so refusals are made before one.
HttpResponse size_refusal(std::size_t most) {
  return error_response(
      {.status = 413,
       .message = most == 0 ? "this takes no body" : format("a body of at most {} bytes is taken", most),
       .code = "too_large"});
}

HttpResponse head_refusal(const boost::system::error_code& error, bool known_method,
                          const std::string& methods) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow)
    return error_response(
        {.status = 431, .message = "the header is longer than 8 KiB", .code = "invalid_request"});
  if (!error && !known_method) {
    HttpResponse refusal =
        error_response({.status = 405, .message = "not with this method", .code = "method_not_allowed"});
    refusal.headers.emplace_back("Allow", methods.empty() ? "GET" : methods);
    return refusal;
  }
  return error_response({.status = 400, .message = "this is no HTTP/1.1 request", .code = "invalid_request"});
}

HttpResponse body_refusal(const boost::system::error_code& error, std::size_t most) {
  if (error == http::error::body_limit) return size_refusal(most);
  return error_response(
      {.status = 400, .message = "the body cannot be read: " + error.message(), .code = "invalid_request"});
}

namespace {

std::string number_text_of(const sockaddr_storage& address, socklen_t size) {
  if (address.ss_family == AF_UNIX) return {};
  asio::ip::tcp::endpoint endpoint;
  endpoint.resize(size);
  std::memcpy(endpoint.data(), &address, size);
  asio::ip::address plain = endpoint.address();
  if (plain.is_v6() && plain.to_v6().is_v4_mapped())
    plain = asio::ip::make_address_v4(asio::ip::v4_mapped, plain.to_v6());
  return plain.to_string();
}

// Of the end of a connection that getpeername or getsockname tells.
std::string address_of_end(int socket, int (*asked)(int, sockaddr*, socklen_t*)) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (asked(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  return number_text_of(address, size);
}

}  // namespace

std::string peer_of(int socket) {
  return address_of_end(socket, ::getpeername);
}

std::string own_address_of(int socket) {
  return address_of_end(socket, ::getsockname);
}

void send_at_once(int socket, std::string_view answer) {
  (void)!::send(socket, answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  ::shutdown(socket, SHUT_WR);
  // What has come already is read, so that closing does not reset the connection before the answer is there.
  std::array<char, 4096> ignored{};
  for (int i = 0; i<kReadsOfRefused&& ::recv(socket, ignored.data(), ignored.size(), MSG_DONTWAIT)> 0; ++i) {
  }
}

}  // namespace palisade
