#include "service/zeromq/zmtp.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/format.h"

namespace palisade {
namespace {

constexpr std::size_t kGreetingBytes = 64, kMechanismAt = 12, kMechanismBytes = 20;
constexpr std::string_view kNullMechanism = "NULL", kCurveMechanism = "CURVE";
constexpr std::size_t kCurveBytes = 64;  // that encryption adds to a part, and some
constexpr unsigned char kMoreFollows = 1, kLongSize = 2, kIsCommand = 4;
constexpr std::size_t kMaxCommandBytes = 4096;

std::uint64_t big_endian_number(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | std::uint8_t(byte);
  return value;
}

// The value of a property of READY, whose body is a sequence of NAME-LENGTH NAME VALUE-LENGTH(4) VALUE.
std::string ready_property(std::string_view body, std::string_view wanted) {
  const auto take = [&body](std::size_t bytes) {
    if (bytes > body.size()) throw ZmtpFault("sent a READY that is cut short");
    const std::string_view taken = body.substr(0, bytes);
    body.remove_prefix(bytes);
    return taken;
  };
  std::string found;
  while (!body.empty()) {
    const std::string_view name = take(big_endian_number(take(1)));
    const std::string_view value = take(big_endian_number(take(4)));
    const bool same = std::ranges::equal(name, wanted, [](char a, char b) { return (a | 32) == (b | 32); });
    if (same) found = value;
  }
  return found;
}

}  // namespace

bool ZmtpReader::read_greeting() {
  const std::string_view seen(buffer_);
  // Checked byte by byte: a peer that speaks another protocol may never send the 64 bytes of a greeting.
  const bool signature = seen.empty() || (seen[0] == '\xff' && (seen.size() < 10 || seen[9] == '\x7f'));
  if (!signature || (seen.size() > 10 && seen[10] < 3)) throw ZmtpFault("does not speak ZeroMQ's protocol 3");
  if (seen.size() < kGreetingBytes) return false;
  const std::string_view mechanism = seen.substr(kMechanismAt, kMechanismBytes);
  if (mechanism.substr(0, mechanism.find('\0')) != (limits_.encrypted ? kCurveMechanism : kNullMechanism))
    throw ZmtpFault(limits_.encrypted ? "has no keys" : "asks for an authentication that there is not");
  at_ = kGreetingBytes;
  return true;
}

std::optional<ZmtpReader::Frame> ZmtpReader::read_frame() {
  const std::string_view rest = std::string_view(buffer_).substr(at_);
  if (rest.empty()) return std::nullopt;
  const auto flags = static_cast<unsigned char>(rest[0]);
  const bool command = (flags & kIsCommand) != 0;
  if ((flags & ~(kMoreFollows | kLongSize | kIsCommand)) != 0 || (command && (flags & kMoreFollows) != 0))
    throw ZmtpFault("sent a frame that is none");
  const std::size_t head = (flags & kLongSize) != 0 ? 9 : 2;
  if (rest.size() < head) return std::nullopt;
  const std::uint64_t size = big_endian_number(rest.substr(1, head - 1));
  const std::size_t most = command
                               ? kMaxCommandBytes
                               : limits_.message_bytes - part_bytes_ + (limits_.encrypted ? kCurveBytes : 0);
  if (size > most) {
    throw ZmtpFault(
        format("sent more than {} bytes in one message", command ? kMaxCommandBytes : limits_.message_bytes));
  }
  if (rest.size() < head + size) return std::nullopt;
  at_ += head + size;
  return Frame{
      .more = (flags & kMoreFollows) != 0, .command = command, .body = std::string(rest.substr(head, size))};
}

std::optional<ZmtpItem> ZmtpReader::item_of(Frame frame) {
  if (frame.command) {
    const std::size_t name = frame.body.empty() ? 0 : std::uint8_t(frame.body[0]);
    if (name == 0 || name >= frame.body.size()) throw ZmtpFault("sent a command without a name");
    return ZmtpItem{.command = frame.body.substr(1, name), .parts = {frame.body.substr(1 + name)}};
  }
  if (!ready_) throw ZmtpFault("sent a message before it introduced itself");
  part_bytes_ += frame.body.size();
  parts_.push_back(std::move(frame.body));
  if (parts_.size() > limits_.parts || (frame.more && parts_.size() == limits_.parts))
    throw ZmtpFault(format("sent a message of more than {} parts", limits_.parts));
  if (frame.more) return std::nullopt;
  part_bytes_ = 0;
  return ZmtpItem{.command = {}, .parts = std::exchange(parts_, {})};
}

void ZmtpReader::introduce(const ZmtpItem& item) {
  if (limits_.encrypted) {
    // A client says HELLO and INITIATE, a service WELCOME and READY; what they say of themselves is
    // encrypted, and libzmq judges it.
    if (item.command != "HELLO" && item.command != "WELCOME" && item.command != "INITIATE" &&
        item.command != "READY")
      throw ZmtpFault("did not introduce itself");
    ready_ = item.command == "INITIATE" || item.command == "READY";
    return;
  }
  if (item.command != "READY") throw ZmtpFault("did not introduce itself");
  const std::string type = ready_property(item.parts.front(), "Socket-Type");
  if (std::ranges::find(peer_types_, type) == peer_types_.end())
    throw ZmtpFault("is a socket of another type than " + peer_types_.front());
  ready_ = true;
}

std::optional<ZmtpItem> ZmtpReader::next() {
  if (!greeted_ && !(greeted_ = read_greeting())) return std::nullopt;
  while (auto frame = read_frame()) {
    auto item = item_of(std::move(*frame));
    if (!item) continue;
    if (ready_) return item;
    introduce(*item);
  }
  buffer_.erase(0, std::exchange(at_, 0));
  return std::nullopt;
}

}  // namespace palisade
