#include "service/zeromq/peer_judge.h"

#include <algorithm>

#include "base/format.h"

namespace palisade {
namespace {

constexpr std::size_t kMaxTopicBytes = 256, kMaxSubscriptions = 256;  // Palisade's topics are shorter
constexpr std::size_t kMaxPingBytes = 18, kMaxPingsPerSecond = 100;

}  // namespace

void PeerJudge::take(std::string_view bytes, std::chrono::steady_clock::time_point now) {
  if (allowance_ > 0) spend(bytes.size(), now);
  reader_.take(bytes);
  while (const auto item = reader_.next()) {
    if (!item->command.empty()) {
      judge_command(*item, now);
    } else if (only_subscribes_) {
      // A subscription is a message (byte 1 and the topic to begin, byte 0 and the topic to end) or, since
      // ZMTP 3.1, a command.
      const std::string& body = item->parts.front();
      if (body.empty() || (body[0] != 0 && body[0] != 1)) throw ZmtpFault("sent what is no subscription");
      subscribe(body[0] == 1, body.substr(1));
    }
  }
}

void PeerJudge::spend(std::size_t bytes, std::chrono::steady_clock::time_point now) {
  if (spent_ > 0) {
    const std::chrono::duration<double> since = now - spent_at_;
    spent_ = std::max(0.0, spent_ - since.count() * double(kBytesPerSecond));
  }
  spent_at_ = now;
  spent_ += double(bytes);
  if (spent_ > double(allowance_)) throw ZmtpFault("sends more than subscriptions");
}

void PeerJudge::judge_command(const ZmtpItem& item, std::chrono::steady_clock::time_point now) {
  const std::string& body = item.parts.front();
  if (item.command == "SUBSCRIBE" || item.command == "CANCEL") subscribe(item.command == "SUBSCRIBE", body);
  if (item.command != "PING") return;
  if (body.size() < 2 || body.size() > kMaxPingBytes) throw ZmtpFault("sent a malformed PING");
  if (now - second_ >= std::chrono::seconds(1)) {
    second_ = now;
    pings_ = 0;
  }
  if (++pings_ > kMaxPingsPerSecond)
    throw ZmtpFault(format("sent more than {} PINGs in a second", kMaxPingsPerSecond));
}

void PeerJudge::subscribe(bool begins, const std::string& prefix) {
  if (!begins) {
    subscriptions_.erase(prefix);
    return;
  }
  if (prefix.size() > kMaxTopicBytes)
    throw ZmtpFault(format("subscribes to a topic of more than {} bytes", kMaxTopicBytes));
  subscriptions_.insert(prefix);
  if (subscriptions_.size() > kMaxSubscriptions)
    throw ZmtpFault(format("subscribes to more than {} topics", kMaxSubscriptions));
}

}  // namespace palisade
