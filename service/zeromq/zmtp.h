#pragma once

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace palisade {

// ZeroMQ's protocol on the wire: ZMTP 3.1 (rfc.zeromq.org/spec/37), in the clear or by CURVE. libzmq speaks
// it; it is read along here to judge what peers send (service/zeromq/peer_guard.h).

// What a peer did that the protocol or a limit does not allow, for the log; its connection ends.
class ZmtpFault : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// What one peer may send. Whatever it does, no more than this and one read is kept of it.
struct ZmtpLimits {
  std::size_t message_bytes = 4096;  // of all parts together
  std::size_t parts = 8;
  // CURVE: after the handshake every part is a message of its own that only libzmq can open.
  bool encrypted = false;
};

// A message, or a command where `command` is its name and the body its only part.
struct ZmtpItem {
  std::string command;
  std::vector<std::string> parts;
};

// Makes messages and commands of one peer's bytes, as they come. One thread's.
class ZmtpReader {
 public:
  // `peer_types`: the socket types that a peer may be ("SUB", "XSUB").
  ZmtpReader(const ZmtpLimits& limits, std::vector<std::string> peer_types)
      : limits_(limits), peer_types_(std::move(peer_types)) {}

  void take(std::string_view bytes) { buffer_ += bytes; }
  // The next one that is whole, after the peer's greeting and READY. Call until there is none. Throws
  // ZmtpFault.
  std::optional<ZmtpItem> next();
  // The peer has introduced itself.
  bool ready() const { return ready_; }

 private:
  struct Frame {
    bool more = false, command = false;
    std::string body;
  };
  bool read_greeting();
  std::optional<Frame> read_frame();
  std::optional<ZmtpItem> item_of(Frame frame);
  void introduce(const ZmtpItem& item);

  const ZmtpLimits limits_;
  const std::vector<std::string> peer_types_;
  std::string buffer_;
  std::size_t at_ = 0;  // what stands before it in the buffer is read
  bool greeted_ = false, ready_ = false;
  std::vector<std::string> parts_;  // of an unfinished message
  std::size_t part_bytes_ = 0;
};

}  // namespace palisade
