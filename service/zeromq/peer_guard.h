#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "service/zeromq/zmtp.h"

namespace zmq {
class context_t;
class socket_t;
}  // namespace zmq

namespace palisade {

// What the far end of a ZeroMQ connection may be and send.
struct PeerRules {
  std::string name;                     // begins log lines: "publisher"
  std::vector<std::string> peer_types;  // "SUB", "XSUB"
  ZmtpLimits message;
  bool only_subscribes = false;  // sends nothing but subscriptions
  std::size_t max_peers = 128;
};

// Stands between the network and a libzmq socket of this process: forwards bytes both ways and reads along
// what comes in. libzmq bounds the size of a message's part but not the number of parts, nor how many peers
// and subscriptions there are; whoever breaks the rules here is cut off before libzmq keeps anything of it,
// and that is logged at most once a second. Has a thread of its own.
//
// The libzmq socket is reached through an abstract Unix socket that lets only this process in.
class PeerGuard {
 public:
  // For the sockets to be guarded. Throws Unavailable where so few file descriptors are left that libzmq
  // would end the process.
  static zmq::context_t context();
  // Binds the socket and listens for its peers on `endpoint`, where no more than `max_peers` are let in, and
  // those only while enough file descriptors are left. Throws Unavailable; `setting` is where another
  // endpoint is chosen ("--publish").
  static PeerGuard bind(zmq::socket_t& socket, const std::string& endpoint, const std::string& setting,
                        PeerRules rules);
  // Connects the socket to a service's endpoint; libzmq connects again by itself. Throws UsageError where the
  // endpoint is none.
  static PeerGuard connect(zmq::socket_t& socket, const std::string& endpoint, PeerRules rules);

  PeerGuard(PeerGuard&&) noexcept;
  // Close the libzmq socket first: what it has sent still goes out, for half a second at most.
  ~PeerGuard();

  // Ends all connections; who may, connects again. Any thread.
  void cut_off_all();
  // What peers connect to, with the port that was bound.
  const std::string& endpoint() const;

 private:
  class Relay;
  explicit PeerGuard(std::unique_ptr<Relay> relay);
  std::unique_ptr<Relay> relay_;
};

}  // namespace palisade
