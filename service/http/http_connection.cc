#include "service/http/http_connection.h"

#include "service/http/http_wire.h"

namespace palisade {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
constexpr auto kResume = asio::use_awaitable;

constexpr std::chrono::seconds kFarewell{1};
constexpr std::size_t kLeastBytesPerMillisecond = 10;
constexpr std::string_view kTlsAlone =
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 28\r\nConnection: close\r\n\r\n"
    "this is https://, not http:\n";

}  // namespace

asio::awaitable<void> write_answer(HttpConnection& connection, HttpResponse response, bool keep_alive) {
  http::response<http::string_body> message;
  set_head(message, response);
  message.keep_alive(keep_alive);
  if (response.status == 401) message.set(http::field::www_authenticate, "Bearer");
  message.body() = std::move(response.body);
  message.prepare_payload();
  connection.stream.expires_after(kWriteTime);
  co_await http::async_write(connection.stream, message, kResume);
}

asio::awaitable<bool> read_body(HttpConnection& connection, HttpParser& parser, std::size_t most) {
  const auto length = parser.content_length();
  if (length && *length > most) {
    HttpResponse refusal = size_refusal(most);
    co_await write_answer(connection, std::move(refusal), false);
    co_return false;
  }
  if (parser.get()[http::field::expect] == "100-continue") {
    http::response<http::empty_body> go_on(http::status::continue_, 11);
    co_await http::async_write(connection.stream, go_on, kResume);
  }
  parser.body_limit(most);
  // What comes drop by drop is given up as soon as it is behind its time.
  const auto begin = steady_clock::now();
  boost::system::error_code error;
  std::size_t got = 0;
  while (!error && !parser.is_done()) {
    const milliseconds patience = kHeaderTime + milliseconds(got / kLeastBytesPerMillisecond);
    connection.stream.expires_at(begin + patience);
    got += co_await http::async_read_some(connection.stream, connection.buffer, parser,
                                          asio::redirect_error(kResume, error));
  }
  if (!error) co_return true;
  HttpResponse refusal = body_refusal(error, most);
  co_await write_answer(connection, std::move(refusal), false);
  co_return false;
}

asio::awaitable<bool> greet(HttpConnection& connection) {
  if (!connection.stream.is_tls()) co_return true;
  connection.stream.expires_after(kHeaderTime);
  boost::system::error_code error;
  co_await connection.stream.async_handshake(asio::redirect_error(kResume, error));
  if (is_plain_http(error)) send_at_once(connection.stream.socket().native_handle(), kTlsAlone);
  co_return !error;
}

asio::awaitable<void> take_leave(HttpConnection& connection) {
  boost::system::error_code error;
  connection.stream.expires_after(kFarewell);
  if (connection.stream.is_tls()) {
    co_await connection.stream.async_shutdown(asio::redirect_error(kResume, error));
    co_return;
  }
  // A connection that is closed while its client still sends is reset, and the answer may be lost with it.
  connection.stream.socket().shutdown(asio::socket_base::shutdown_send, error);
  connection.buffer.clear();
  while (!error)
    co_await connection.stream.async_read_some(connection.buffer.prepare(HttpConnection::kMaxAhead),
                                               asio::redirect_error(kResume, error));
}

}  // namespace palisade
