#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace palisade::test {

// A connection that a LoopbackServer has accepted. Its waits end when the server is destroyed.
class LoopbackPeer {
 public:
  virtual ~LoopbackPeer() = default;
  // The next bytes; empty once the peer has closed or the server ends.
  virtual std::string receive() = 0;
  // False once the peer has gone or the server ends.
  virtual bool send(std::string_view bytes) = 0;
  virtual int descriptor() = 0;
};

// Listens at a free port of the loopback and runs `serve` for each connection, on a thread of its own; the
// connection ends when `serve` returns.
class LoopbackServer {
 public:
  using Serve = std::function<void(LoopbackPeer&)>;
  explicit LoopbackServer(Serve serve, const std::string& host = "127.0.0.1");
  ~LoopbackServer();
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;

  int port() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace palisade::test
