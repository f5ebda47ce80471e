#pragma once

#include <memory>
#include <string>

#include "service/http/backend.h"
#include "service/http/http_message.h"

namespace palisade {

// Counts of the API itself, and those of the service at the moment they are asked for. Any thread.
class HttpMetrics {
 public:
  HttpMetrics();
  ~HttpMetrics();

  void request_done(const std::string& route, HttpMethod method, int status, double seconds);
  void cancelled();
  void answered(const AnswerTiming& timing, std::size_t tokens);
  // In Prometheus' text format 0.0.4.
  std::string text(const HttpBackend& backend) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace palisade
