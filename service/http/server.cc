#include "service/http/server.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <map>
#include <set>
#include <thread>
#include <utility>

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "ingest/source/networks.h"
#include "service/endpoints/endpoint.h"
#include "service/http/exchange.h"
#include "service/http/http_connection.h"
#include "service/http/http_wire.h"
#include "service/http/query_names.h"
#include "service/http/request_check.h"

namespace palisade {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using Protocol = ClientStream::Protocol;
using Connection = std::shared_ptr<HttpConnection>;
constexpr auto kAwait = asio::use_awaitable;

constexpr std::size_t kMaxConnections = 256, kMaxOfPeer = 32;
constexpr std::uint32_t kMaxHead = 8u << 10;
constexpr std::size_t kMaxReadBytes = 64u << 10, kWatchedBytes = 4u << 10;
constexpr seconds kIdleTime{60}, kLongestAnswer{600};
// Clients and proxies give up a connection that says nothing; a comment among server-sent events keeps it.
constexpr seconds kBetweenComments{10};
constexpr std::string_view kComment = ": ping\n\n";
constexpr int kWorkers = 2;
constexpr milliseconds kPauseForGuessers{1000};  // before each further answer to them

bool is_loopback(const std::string& address) {
  return address.starts_with("127.") || address == "::1";
}

}  // namespace

// The threads' queues. An exchange may outlive its server, and then still posts here.
struct HttpThreads {
  asio::io_context io{1};
  asio::thread_pool workers{kWorkers};
};

struct HttpServer::State {
  State(HttpServerOptions its_options, HttpRouter its_router, HttpTokens& its_tokens)
      : options(std::move(its_options)),
        router(std::move(its_router)),
        tokens(its_tokens),
        names{options.hosts, options.origins},
        tls(options.certificate.empty() ? nullptr : tls_context(options.certificate, options.key)),
        listener(options.endpoint, "http.listen", tls || !options.trusted_proxies.empty()),
        is_local(listener.endpoint().starts_with("ipc://")) {
    asio::co_spawn(io, accept(), asio::detached);
    thread = std::jthread([this] { io.run(); });
  }
  ~State() {
    asio::post(io, [this] {
      stopping = true;
      accepting.cancel();
      for (const Connection& connection : connections) connection->stream.close();
    });
    thread.join();
    threads->workers.join();
  }

  asio::awaitable<void> accept();
  std::string_view refusal_of(const std::string& peer);
  bool is_proxy(const std::string& peer) const {
    return std::ranges::any_of(options.trusted_proxies, [&](const std::string& proxy) {
      return host_address_of(proxy) == host_address_of(peer);
    });
  }
  asio::awaitable<void> serve(Connection connection);
  // One request; false where the connection is at its end.
  asio::awaitable<bool> serve_one(const Connection& connection);
  asio::awaitable<bool> answer_as_it_comes(const Connection& connection, HttpExchange& exchange,
                                           const std::shared_ptr<asio::steady_timer>& signal, int& status);
  asio::awaitable<void> watch(Connection connection, std::shared_ptr<HttpExchange> exchange,
                              std::shared_ptr<asio::steady_timer> signal);
  HttpError token_fault(const HttpRequest& request);
  // What is wrong with a request whose head has been read; `holder` is filled in where nothing is.
  std::optional<HttpError> fault_of(const HttpRequest& request, const HttpRouter::Match& match,
                                    HttpHolder& holder);

  const HttpServerOptions options;
  const HttpRouter router;
  HttpTokens& tokens;
  const HttpNames names;
  TlsContext tls;  // the HTTP thread's
  Listener listener;
  const bool is_local;
  const std::shared_ptr<HttpThreads> threads = std::make_shared<HttpThreads>();
  asio::io_context& io = threads->io;
  asio::posix::stream_descriptor accepting{io, ::dup(listener.number())};
  // The HTTP thread's.
  bool stopping = false;
  std::set<Connection> connections;
  std::map<std::string, std::size_t> of_peer;
  FailureLimit failures;
  OncePerSecond refused;
  std::jthread thread;
};

asio::awaitable<void> HttpServer::State::accept() {
  while (!stopping) {
    boost::system::error_code error;
    co_await accepting.async_wait(asio::posix::stream_descriptor::wait_read,
                                  asio::redirect_error(kAwait, error));
    if (error || stopping) co_return;
    Descriptor socket(::accept4(listener.number(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket.is_open()) {
      // No descriptors are left: those who wait are served when some are.
      asio::steady_timer pause(io, milliseconds(100));
      co_await pause.async_wait(asio::redirect_error(kAwait, error));
      continue;
    }
    const std::string peer = peer_of(socket.number());
    if (const std::string_view refusal = refusal_of(peer); !refusal.empty()) {
      if (!tls) send_at_once(socket.number(), refusal);
      if (const auto count = refused.count(1, steady_clock::now()))
        log_warning(format("http: refused {} connections, there are too many, or not by the proxy", *count));
      continue;
    }
    const int family = is_local ? AF_UNIX : AF_INET;
    const std::string own_address = own_address_of(socket.number());
    auto connection = std::make_shared<HttpConnection>(
        Protocol::socket(io, Protocol(family, is_local ? 0 : IPPROTO_TCP), socket.release()), tls, peer,
        own_address);
    connections.insert(connection);
    ++of_peer[peer];
    asio::co_spawn(io, serve(std::move(connection)), asio::detached);
  }
}

// What somebody is told who is not served at all; empty: he is.
std::string_view HttpServer::State::refusal_of(const std::string& peer) {
  if (connections.size() >= kMaxConnections) return kBusyAnswer;
  if (is_local || is_proxy(peer)) return {};
  if (!tls && !is_loopback(peer)) return kProxyAnswer;
  return of_peer[peer] >= kMaxOfPeer ? kBusyAnswer : std::string_view();
}

asio::awaitable<void> HttpServer::State::serve(Connection connection) {
  try {
    if (co_await greet(*connection)) {
      while (!stopping && co_await serve_one(connection)) {
      }
      co_await take_leave(*connection);
    }
  } catch (const std::exception&) {
    // The client has gone, or broke the protocol in the middle.
  }
  connection->stream.close();
  connections.erase(connection);
  if (--of_peer[connection->peer] == 0) of_peer.erase(connection->peer);
}

// Of a request without a token that there is.
HttpError HttpServer::State::token_fault(const HttpRequest& request) {
  if (token_of(request).empty())
    return {
        .status = 401, .message = "a token is needed: Authorization: Bearer TOKEN", .code = "invalid_token"};
  failures.count(request.peer, steady_clock::now());
  return {.status = 401, .message = "there is no such token", .code = "invalid_token"};
}

std::optional<HttpError> HttpServer::State::fault_of(const HttpRequest& request,
                                                     const HttpRouter::Match& match, HttpHolder& holder) {
  if (!is_local) {
    if (auto fault = name_fault(request, names)) return fault;
  }
  if (match.route == nullptr)
    return !match.methods.empty()
               ? HttpError{.status = 405, .message = "not with this method", .code = "method_not_allowed"}
               : HttpError{
                     .status = 404, .message = "there is nothing at " + request.path, .code = "not_found"};
  if (!request.repeated.empty())
    return HttpError{.status = 400,
                     .message = format("the query has '{}' twice", request.repeated.substr(0, 64)),
                     .code = "invalid_request",
                     .param = request.repeated.substr(0, 64)};
  if (auto fault = query_name_fault(*match.route, request)) return fault;
  if (is_local) holder = {.name = "local", .scope = HttpScope::kAdmin, .streams = {}};
  if (match.route->scope == HttpScope::kNobody || is_local) return std::nullopt;
  if (auto known = tokens.holder_of(token_of(request))) {
    holder = *std::move(known);
  } else {
    return token_fault(request);
  }
  if (auto fault = cookie_fault(request)) return fault;
  if (holder.scope >= match.route->scope) return std::nullopt;
  return HttpError{.status = 403,
                   .message = format("this needs a token of scope {}, and '{}' is of scope {}",
                                     name_of(match.route->scope), holder.name, name_of(holder.scope)),
                   .code = "scope_too_small"};
}

asio::awaitable<bool> HttpServer::State::serve_one(const Connection& connection) {
  HttpParser parser;
  parser.header_limit(kMaxHead);
  parser.body_limit(boost::none);
  // An idle connection has longer for its first byte than a header for its last.
  connection->stream.expires_after(connection->buffer.size() == 0 ? kIdleTime : kHeaderTime);
  boost::system::error_code error;
  if (connection->buffer.size() == 0) {
    const std::size_t got = co_await connection->stream.async_read_some(
        connection->buffer.prepare(kMaxReadBytes), asio::redirect_error(kAwait, error));
    if (error) co_return false;
    connection->buffer.commit(got);
    connection->stream.expires_after(kHeaderTime);
  }
  co_await http::async_read_header(connection->stream, connection->buffer, parser,
                                   asio::redirect_error(kAwait, error));
  if (error == http::error::end_of_stream || error == beast::error::timeout) co_return false;
  const auto begin = steady_clock::now();
  HttpRequest request{.peer = connection->peer,
                      .own_address = connection->own_address,
                      .secure = connection->stream.is_tls()};
  const auto method = method_of(parser.get().method());
  const bool readable = !error && read_head(parser.get(), request);
  if (!readable || !method) {
    HttpResponse refusal = head_refusal(error, method.has_value(), router.find(request).methods);
    co_await write_answer(*connection, std::move(refusal), false);
    co_return false;
  }
  request.method = *method;
  if (is_proxy(connection->peer)) ask_for_peer(request);
  const HttpRouter::Match match = router.find(request);
  HttpHolder holder;
  const std::string route = match.route ? match.route->pattern : "none";
  if (const auto fault = fault_of(request, match, holder)) {
    HttpResponse refusal = error_response(*fault);
    if (fault->status == 405) refusal.headers.emplace_back("Allow", match.methods);
    if (fault->status == 401 && failures.is_over(request.peer, begin)) {
      asio::steady_timer pause(io, kPauseForGuessers);
      co_await pause.async_wait(asio::redirect_error(kAwait, error));
    }
    co_await write_answer(*connection, std::move(refusal), false);
    if (options.on_done)
      options.on_done(route, *method, fault->status,
                      std::chrono::duration<double>(steady_clock::now() - begin).count());
    co_return false;
  }
  if (!co_await read_body(*connection, parser, match.route->body_bytes)) co_return false;
  request.body = std::move(parser.get().body());
  const bool keep_alive = parser.get().keep_alive() && !stopping;

  const auto signal = std::make_shared<asio::steady_timer>(io, steady_clock::time_point::max());
  const auto exchange = std::make_shared<HttpExchange>(
      std::move(request), std::move(holder),
      [signal, all = threads] { asio::post(all->io, [signal] { signal->cancel(); }); },
      [all = threads](std::function<void()> job) { asio::post(all->workers, std::move(job)); });
  connection->stream.expires_never();
  connection->watched = true;
  asio::co_spawn(io, watch(connection, exchange, signal), asio::detached);
  match.route->handler(exchange);
  int status = 0;
  const bool whole = co_await answer_as_it_comes(connection, *exchange, signal, status);
  exchange->set_gone();
  connection->stream.socket().cancel();  // ends watch(), which may be reading
  while (connection->watched) co_await connection->unwatched.async_wait(asio::redirect_error(kAwait, error));
  if (options.on_done)
    options.on_done(route, *method, status,
                    std::chrono::duration<double>(steady_clock::now() - begin).count());
  co_return whole&& keep_alive;
}

// Sets `gone` when the client closes its side while it waits. What it sends meanwhile is kept.
asio::awaitable<void> HttpServer::State::watch(Connection connection, std::shared_ptr<HttpExchange> exchange,
                                               std::shared_ptr<asio::steady_timer> signal) {
  boost::system::error_code error;
  bool has_left = false;
  if (connection->stream.is_tls()) {
    // Its end is a message like all others, so it has to be read.
    const std::size_t got = co_await connection->stream.async_read_some(
        connection->buffer.prepare(kWatchedBytes), asio::redirect_error(kAwait, error));
    connection->buffer.commit(got);
    has_left = error && error != asio::error::operation_aborted;
  } else {
    co_await connection->stream.socket().async_wait(Protocol::socket::wait_read,
                                                    asio::redirect_error(kAwait, error));
    char next = 0;
    const auto got =
        error ? 1 : ::recv(connection->stream.socket().native_handle(), &next, 1, MSG_PEEK | MSG_DONTWAIT);
    has_left = got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
  }
  connection->watched = false;
  connection->unwatched.cancel();
  if (!has_left && !stopping) co_return;
  exchange->set_gone();
  signal->cancel();
}

// False where the connection cannot be used again.
asio::awaitable<bool> HttpServer::State::answer_as_it_comes(const Connection& connection,
                                                            HttpExchange& exchange,
                                                            const std::shared_ptr<asio::steady_timer>& signal,
                                                            int& status) {
  bool head_sent = false, sends_events = false;
  const auto end = steady_clock::now() + kLongestAnswer;
  ClientStream& stream = connection->stream;
  while (true) {
    if (exchange.gone() || stopping) {
      status = status == 0 ? 499 : status;
      co_return false;
    }
    HttpExchange::Output output = exchange.take_output();
    if (output.started && output.whole) {
      status = output.response.status;
      co_await write_answer(*connection, std::move(output.response), true);
      co_return true;
    }
    if (output.started && !head_sent) {
      status = output.response.status;
      sends_events = output.response.type == "text/event-stream";
      http::response<http::empty_body> head;
      set_head(head, output.response);
      head.keep_alive(false);
      head.chunked(true);
      http::response_serializer<http::empty_body> serializer(head);
      stream.expires_after(kWriteTime);
      co_await http::async_write_header(stream, serializer, kAwait);
      head_sent = true;
    }
    for (const std::string& piece : output.pieces) {
      stream.expires_after(kWriteTime);
      co_await asio::async_write(stream, http::make_chunk(asio::buffer(piece)), kAwait);
    }
    if (output.ended) {
      stream.expires_after(kWriteTime);
      co_await asio::async_write(stream, http::make_chunk_last(), kAwait);
      co_return false;
    }
    if (!output.pieces.empty()) continue;
    stream.expires_never();
    boost::system::error_code error;
    signal->expires_at(!head_sent     ? end
                       : sends_events ? steady_clock::now() + kBetweenComments
                                      : steady_clock::time_point::max());
    co_await signal->async_wait(asio::redirect_error(kAwait, error));
    if (error) continue;  // there is something to send, or the client has left
    if (!head_sent) {
      exchange.fail({.status = 504, .message = "the answer took too long", .code = "timeout"});
      continue;
    }
    stream.expires_after(kWriteTime);
    co_await asio::async_write(stream, http::make_chunk(asio::buffer(kComment)), kAwait);
  }
}

HttpServer::HttpServer(HttpServerOptions options, HttpRouter router, HttpTokens& tokens)
    : state_(std::make_unique<State>(std::move(options), std::move(router), tokens)) {}
HttpServer::~HttpServer() = default;

void HttpServer::read_certificate_again() {
  if (state_->options.certificate.empty()) return;
  TlsContext fresh = tls_context(state_->options.certificate, state_->options.key);
  asio::post(state_->io, [state = state_.get(), fresh = std::move(fresh)] { state->tls = fresh; });
}

const std::string& HttpServer::endpoint() const {
  return state_->listener.endpoint();
}

}  // namespace palisade
