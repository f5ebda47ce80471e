#pragma once

#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <string>
#include <utility>

#include "service/http/http_message.h"

namespace palisade {

using ClientStream = boost::beast::basic_stream<boost::asio::generic::stream_protocol>;
using HttpParser = boost::beast::http::request_parser<boost::beast::http::string_body>;

// A connection: its stream, what has been read of it ahead, and who is at its other end.
struct HttpConnection {
  HttpConnection(ClientStream::socket_type socket, std::string its_peer)
      : stream(std::move(socket)), peer(std::move(its_peer)) {}

  // More than is read at a time: what cannot be parsed within that is refused.
  static constexpr std::size_t kMaxAhead = 128u << 10;

  ClientStream stream;
  const std::string peer;  // empty on a Unix socket
  boost::beast::flat_buffer buffer{kMaxAhead};
};

inline constexpr std::chrono::seconds kHeaderTime{10};  // for a header, and for a body's first bytes
inline constexpr std::chrono::seconds kWriteTime{30};   // until a client has read what is sent to it

// The body of a request whose header has been parsed, at 10 KB/s at least. False where it is larger than
// `most` or breaks off; then the client has been told.
boost::asio::awaitable<bool> read_body(HttpConnection& connection, HttpParser& parser, std::size_t most);
boost::asio::awaitable<void> write_answer(HttpConnection& connection, HttpResponse response, bool keep_alive);
// Ends the connection so that the client gets the whole answer.
boost::asio::awaitable<void> take_leave(HttpConnection& connection);

}  // namespace palisade
