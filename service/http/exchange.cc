#include "service/http/exchange.h"

#include <utility>

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"

namespace palisade {
namespace {

constexpr std::size_t kMaxWaiting = 256u << 10;

// What was thrown, as an answer: mistakes of the client are told, faults of the service as well, but their
// text names no more than an error of the command line would.
HttpError error_of(const Error& error) {
  switch (error.kind()) {
    case ErrorKind::kWrongUse:
      return {.status = 400, .message = error.what(), .code = "invalid_request"};
    case ErrorKind::kUnavailable:
      return {.status = 503, .message = error.what(), .code = "unavailable"};
    default:
      return {.status = 500, .message = error.what(), .code = "failed"};
  }
}

}  // namespace

HttpExchange::HttpExchange(HttpRequest request, HttpHolder holder, std::function<void()> wake,
                           std::function<void(std::function<void()>)> work)
    : request_(std::move(request)),
      holder_(std::move(holder)),
      wake_(std::move(wake)),
      work_(std::move(work)) {}

void HttpExchange::respond(HttpResponse response) {
  {
    const std::lock_guard lock(mutex_);
    if (output_.started) return;
    output_.started = output_.whole = output_.ended = true;
    output_.response = std::move(response);
  }
  wake_();
}

void HttpExchange::fail(const HttpError& error) {
  HttpResponse response = error_response(error);
  {
    const std::lock_guard lock(mutex_);
    if (output_.started) {
      if (output_.ended) return;
      if (sse_) output_.pieces.push_back(format("event: error\ndata: {}\n", response.body));
      output_.ended = true;
    } else {
      output_.started = output_.whole = output_.ended = true;
      output_.response = std::move(response);
    }
  }
  wake_();
}

void HttpExchange::begin(HttpResponse head) {
  {
    const std::lock_guard lock(mutex_);
    if (output_.started) return;
    output_.started = true;
    sse_ = head.type == "text/event-stream";
    output_.response = std::move(head);
  }
  wake_();
}

bool HttpExchange::send(std::string piece) {
  {
    const std::lock_guard lock(mutex_);
    if (gone_ || output_.ended || !output_.started) return false;
    if (output_.bytes + piece.size() > kMaxWaiting) {
      gone_ = true;
      output_.ended = true;
    } else {
      output_.bytes += piece.size();
      output_.pieces.push_back(std::move(piece));
    }
  }
  wake_();
  return !gone_;
}

bool HttpExchange::all_taken() {
  const std::lock_guard lock(mutex_);
  return output_.pieces.empty();
}

void HttpExchange::end() {
  {
    const std::lock_guard lock(mutex_);
    output_.ended = true;
  }
  wake_();
}

void HttpExchange::work(std::function<void()> job) {
  work_([self = shared_from_this(), job = std::move(job)] {
    try {
      job();
    } catch (const HttpFault& error) {
      self->fail(error.fault());
    } catch (const Error& error) {
      self->fail(error_of(error));
    } catch (const std::exception& error) {
      log_error("http: " + self->request().path + ": " + error.what());
      self->fail({.status = 500, .message = "the service failed; its log says why", .code = "failed"});
    }
  });
}

HttpExchange::Output HttpExchange::take_output() {
  const std::lock_guard lock(mutex_);
  Output output;
  output.whole = output_.whole;
  output.started = output_.started;
  output.ended = output_.ended;
  output.response = std::move(output_.response);
  output.pieces.swap(output_.pieces);
  output.bytes = std::exchange(output_.bytes, 0);
  return output;
}

}  // namespace palisade
