#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "service/events/replay_request.h"
#include "service/zeromq/keys.h"

namespace palisade {

// What a subscriber has missed is asked for on the replay endpoint: ZeroMQ ROUTER, for REQ and DEALER. A
// request is one JSON object (replay_request.h). The answer is one message: its header, then topic and body
// of each event; or one part {"error": "..."}.

// The service's end.
class ReplayServer {
 public:
  // Runs on this object's thread; what it throws is answered as an error.
  using Handle = std::function<ReplayAnswer(const ReplayRequest&)>;
  // Throws Unavailable where it cannot be bound.
  ReplayServer(const std::string& endpoint, Handle handle,
               const std::optional<ServiceKeys>& keys = std::nullopt);
  ~ReplayServer();
  ReplayServer(const ReplayServer&) = delete;
  ReplayServer& operator=(const ReplayServer&) = delete;

  // As Publisher::allow().
  void allow(Clients clients);
  const std::string& endpoint() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The asker's end. One thread's.
class ReplayClient {
 public:
  explicit ReplayClient(const std::string& endpoint, std::optional<ClientKeys> keys = std::nullopt);
  ~ReplayClient();
  ReplayClient(const ReplayClient&) = delete;
  ReplayClient& operator=(const ReplayClient&) = delete;

  // Throws Unavailable where nobody answers in time, or the service cannot answer now, and Error where it is
  // no replay endpoint. Asked again, it connects anew.
  ReplayAnswer ask(const std::string& json, std::chrono::milliseconds patience);

 private:
  struct Connection;
  const std::string endpoint_;
  const std::optional<ClientKeys> keys_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace palisade
