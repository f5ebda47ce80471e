#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "service/zeromq/keys.h"
#include "service/zeromq/peer_guard.h"

namespace palisade {

struct GuardedSocketOptions {
  int type = 0;          // ZMQ_XPUB ...
  std::string endpoint;  // a port * takes a free one
  std::string setting;   // where another endpoint is chosen: "--publish"
  PeerRules rules;       // `encrypted` follows from the keys
  std::optional<ServiceKeys> keys;
  std::function<void(zmq::socket_t&)> configure;  // before it is bound
};

// A bound ZeroMQ socket of a service with all that stands before it: its keys, the door that asks for those
// of clients, the guard. One thread's, but for ring() and allow().
class GuardedSocket {
 public:
  // Throws Unavailable if the endpoint cannot be bound.
  explicit GuardedSocket(const GuardedSocketOptions& options);
  ~GuardedSocket();
  GuardedSocket(const GuardedSocket&) = delete;
  GuardedSocket& operator=(const GuardedSocket&) = delete;

  zmq::socket_t& socket();
  // Until the socket has something, somebody rings, or time is over; clients that wait at the door are let in
  // or not.
  void wait(std::chrono::milliseconds longest = std::chrono::milliseconds(-1));
  // Sends what is to be sent, as long as the socket's linger says.
  void close();

  // Any thread.
  void ring() const;
  // With keys: from now on these clients. Connections are ended where somebody is no longer among them.
  void allow(Clients clients);
  // A port * is replaced by the port that was bound.
  const std::string& endpoint() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace palisade
