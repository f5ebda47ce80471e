#pragma once

#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "service/http/http_message.h"
#include "service/http/tls.h"

namespace palisade {

// A connection's bytes, plain or inside TLS: what Beast's reads and writes need of a stream. Each of them
// ends with beast::error::timeout where it takes longer than expires_at() says. One thread's.
class ClientStream : private boost::beast::basic_stream<boost::asio::generic::stream_protocol> {
 public:
  using Protocol = boost::asio::generic::stream_protocol;
  using Plain = boost::beast::basic_stream<Protocol>;
  using Plain::close;
  using Plain::executor_type;
  using Plain::expires_after;
  using Plain::expires_at;
  using Plain::expires_never;
  using Plain::get_executor;
  using Plain::socket;
  using Time = std::chrono::steady_clock::time_point;
  template <class Token>
  using ResultOf = typename boost::asio::async_result<std::decay_t<Token>, void(boost::system::error_code,
                                                                                std::size_t)>::return_type;

  // Without `tls` it is plain.
  ClientStream(Protocol::socket socket, TlsContext tls) : Plain(std::move(socket)), context_(std::move(tls)) {
    if (context_) tls_.emplace(plain(), *context_);
  }
  ClientStream(const ClientStream&) = delete;
  ClientStream& operator=(const ClientStream&) = delete;

  bool is_tls() const { return tls_.has_value(); }

  template <class Token>
  auto async_handshake(Token&& token) {
    return tls_->async_handshake(boost::asio::ssl::stream_base::server, std::forward<Token>(token));
  }
  template <class Token>
  auto async_shutdown(Token&& token) {
    return tls_->async_shutdown(std::forward<Token>(token));
  }
  template <class Buffers, class Token>
  ResultOf<Token> async_read_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code, std::size_t)>(
        [this](auto handler, const Buffers& into) {
          if (tls_) {
            tls_->async_read_some(into, std::move(handler));
          } else {
            plain().async_read_some(into, std::move(handler));
          }
        },
        token, buffers);
  }
  template <class Buffers, class Token>
  ResultOf<Token> async_write_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code, std::size_t)>(
        [this](auto handler, const Buffers& from) {
          if (tls_) {
            tls_->async_write_some(from, std::move(handler));
          } else {
            plain().async_write_some(from, std::move(handler));
          }
        },
        token, buffers);
  }

 private:
  Plain& plain() { return *this; }

  const TlsContext context_;  // outlives tls_
  std::optional<boost::asio::ssl::stream<Plain&>> tls_;
};

// A connection: its stream, what has been read of it ahead, and who is at its ends.
struct HttpConnection {
  HttpConnection(ClientStream::Protocol::socket socket, TlsContext tls, std::string its_peer,
                 std::string its_own_address)
      : stream(std::move(socket), std::move(tls)),
        peer(std::move(its_peer)),
        own_address(std::move(its_own_address)),
        unwatched(stream.get_executor(), ClientStream::Time::max()) {}

  // More than is read at a time: what cannot be parsed within that is refused.
  static constexpr std::size_t kMaxAhead = 128u << 10;

  ClientStream stream;
  const std::string peer, own_address;  // empty on a Unix socket
  boost::beast::flat_buffer buffer{kMaxAhead};
  bool watched = false;                 // somebody waits for the client to leave
  boost::asio::steady_timer unwatched;  // is cancelled when nobody does any more
};

using HttpParser = boost::beast::http::request_parser<boost::beast::http::string_body>;
inline constexpr std::chrono::seconds kHeaderTime{10};  // for a handshake, a header, a body's first bytes
inline constexpr std::chrono::seconds kWriteTime{30};   // until a client has read what is sent to it

// The TLS handshake, where there is one. False where the client speaks no TLS as we do.
boost::asio::awaitable<bool> greet(HttpConnection& connection);
// The body of a request whose header has been parsed, at 10 KB/s at least. False where it is larger than
// `most` or breaks off; then the client has been told.
boost::asio::awaitable<bool> read_body(HttpConnection& connection, HttpParser& parser, std::size_t most);
boost::asio::awaitable<void> write_answer(HttpConnection& connection, HttpResponse response, bool keep_alive);
// Ends the connection so that the client gets the whole answer and knows that nothing was cut off.
boost::asio::awaitable<void> take_leave(HttpConnection& connection);

}  // namespace palisade
