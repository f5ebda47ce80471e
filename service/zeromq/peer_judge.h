#pragma once

#include <chrono>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>

#include "service/zeromq/peer_guard.h"

namespace palisade {

// Checks what one peer sends against the PeerRules. Not thread-safe.
class PeerJudge {
 public:
  explicit PeerJudge(const PeerRules& rules)
      : only_subscribes_(rules.only_subscribes && !rules.message.encrypted),
        allowance_(rules.message.encrypted && rules.only_subscribes ? kFirstBytes : 0),
        reader_(rules.message, rules.peer_types) {}

  // Throws ZmtpFault if the bytes break a rule; then none of them may be forwarded.
  void take(std::string_view bytes, std::chrono::steady_clock::time_point now);
  // Whether the peer has completed ZMTP's handshake.
  bool ready() const { return reader_.ready(); }

 private:
  void judge_command(const ZmtpItem& item, std::chrono::steady_clock::time_point now);
  void subscribe(bool begins, const std::string& prefix);

  // What an encrypted subscriber may send at once, and how much more with each second: its subscriptions
  // cannot be counted. 0: anything.
  static constexpr std::size_t kFirstBytes = 256u << 10, kBytesPerSecond = 1024;
  void spend(std::size_t bytes, std::chrono::steady_clock::time_point now);

  const bool only_subscribes_;
  const std::size_t allowance_;
  double spent_ = 0;
  std::chrono::steady_clock::time_point spent_at_;
  ZmtpReader reader_;
  std::set<std::string> subscriptions_;
  std::chrono::steady_clock::time_point second_;  // the beginning of the second in which pings_ are counted
  std::size_t pings_ = 0;
};

}  // namespace palisade
