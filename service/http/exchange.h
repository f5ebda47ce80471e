#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/error.h"
#include "service/http/access.h"
#include "service/http/http_message.h"

namespace palisade {

// What is asked for is not there, or already is: 404 and 409 where work() throws it.
class HttpFault : public Error {
 public:
  explicit HttpFault(HttpError fault) : Error(fault.message), fault_(std::move(fault)) {}
  const HttpError& fault() const { return fault_; }

 private:
  HttpError fault_;
};

// One request and its answer, which may come later and from another thread: whole, or piece by piece. Held by
// shared_ptr by whoever still has something to do with it. Every handler answers in the end; the session
// gives up after ten minutes.
class HttpExchange : public std::enable_shared_from_this<HttpExchange> {
 public:
  // What is left to send, in order; the session's view.
  struct Output {
    bool whole = false;     // `response` is all of it
    HttpResponse response;  // head and, where whole, body
    bool started = false;   // respond() or begin() was called
    std::deque<std::string> pieces;
    std::size_t bytes = 0;  // of pieces
    bool ended = false;
  };
  // `wake` is called by any thread when there is something new in the output; `work` puts a job on the
  // threads for what takes longer.
  HttpExchange(HttpRequest request, HttpHolder holder, std::function<void()> wake,
               std::function<void(std::function<void()>)> work);
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;

  const HttpRequest& request() const { return request_; }
  const HttpHolder& holder() const { return holder_; }

  // Any thread. The first answer counts.
  void respond(HttpResponse response);
  // Server-sent events that have begun get an event `error`.
  void fail(const HttpError& error);
  // An answer of unknown length: its head now, pieces as they come, then end(). send() is false where the
  // client has gone or does not read: more than 256 KiB wait for it.
  // Where it has begun already, begin() does nothing.
  void begin(HttpResponse head);
  bool send(std::string piece);
  void end();
  // Nothing waits to be sent.
  bool all_taken();
  // Runs `job` on one of the threads for what takes longer. What it throws becomes an answer.
  void work(std::function<void()> job);

  // The client has closed its connection. Any thread.
  bool gone() const { return gone_; }

  // For the session alone.
  void set_gone() { gone_ = true; }
  Output take_output();

 private:
  const HttpRequest request_;
  const HttpHolder holder_;
  const std::function<void()> wake_;
  const std::function<void(std::function<void()>)> work_;
  std::atomic<bool> gone_{false};
  std::mutex mutex_;
  Output output_;     // guarded by mutex_
  bool sse_ = false;  // guarded by mutex_: begun with server-sent events
};

}  // namespace palisade
