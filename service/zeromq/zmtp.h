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

// What a peer did against the protocol or a limit. Ends its connection; the text is for the log.
class ZmtpFault : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Limits of what one peer may send. ZmtpReader stores no more than one such message and the bytes of one
// read.
struct ZmtpLimits {
  std::size_t message_bytes = 4096;  // sum over all parts
  std::size_t parts = 8;
  // CURVE: after the handshake every part is a message of its own that only libzmq can open.
  bool encrypted = false;
};

// A message; or a command, if `command` is not empty: its name, with the body as the only part.
struct ZmtpItem {
  std::string command;
  std::vector<std::string> parts;
};

// Parses one peer's bytes into messages and commands. Not thread-safe.
class ZmtpReader {
 public:
  // `peer_types`: the socket types that a peer may have ("SUB", "XSUB").
  ZmtpReader(const ZmtpLimits& limits, std::vector<std::string> peer_types)
      : limits_(limits), peer_types_(std::move(peer_types)) {}

  void take(std::string_view bytes) { buffer_ += bytes; }
  // The next complete message or command after the peer's greeting and READY; nothing if more bytes are
  // needed. Throws ZmtpFault.
  std::optional<ZmtpItem> next();
  // Whether the peer has sent its greeting and READY.
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
  std::size_t at_ = 0;  // position in buffer_ up to which it is parsed
  bool greeted_ = false, ready_ = false;
  std::vector<std::string> parts_;  // parts of an incomplete message
  std::size_t part_bytes_ = 0;
};

}  // namespace palisade
