#include "service/journal/waiting_events.h"

#include <algorithm>
#include <utility>

namespace palisade {
namespace {

constexpr std::size_t kMaxTransaction = 1000;  // events

std::size_t bytes_of(const SharedMessage& message) {
  return message->topic.size() + message->json.size();
}

}  // namespace

void WaitingEvents::push(const SharedMessage& message) {
  {
    const std::lock_guard lock(mutex_);
    // A heartbeat tells of this moment: nobody asks for it later.
    const bool kept = message->kind != EventKind::kHeartbeat;
    auto entry = std::make_shared<Entry>(
        Entry{.message = message, .arrived = std::chrono::steady_clock::now(), .stored = !kept});
    send_line_.push_back(entry);
    if (kept && !closed_) {
      store_line_.push_back(std::move(entry));
      bytes_ += bytes_of(message);
      while (bytes_ > max_bytes_ && store_line_.size() > 1) drop_oldest();
    }
  }
  something_to_store_.notify_one();
  sending_changed_.notify_one();
}

void WaitingEvents::drop_oldest() {
  bytes_ -= bytes_of(store_line_.front()->message);
  store_line_.pop_front();
  ++lost_;
}

std::vector<SharedMessage> WaitingEvents::to_store(const std::stop_token& stop,
                                                   std::chrono::steady_clock::time_point until) {
  std::unique_lock lock(mutex_);
  something_to_store_.wait_until(lock, stop, until, [this] { return !store_line_.empty(); });
  std::vector<SharedMessage> messages;
  const std::size_t count = std::min(store_line_.size(), kMaxTransaction);
  for (std::size_t i = 0; i < count; ++i) messages.push_back(store_line_[i]->message);
  return messages;
}

void WaitingEvents::stored(const std::vector<SharedMessage>& messages) {
  {
    const std::lock_guard lock(mutex_);
    failing_ = false;
    std::size_t next = 0;
    while (!store_line_.empty()) {
      // Some may have been dropped while they were written; these were counted as lost, and are none.
      while (next < messages.size() && messages[next] != store_line_.front()->message) {
        ++next;
        --lost_;
      }
      if (next == messages.size()) break;
      store_line_.front()->stored = true;
      bytes_ -= bytes_of(store_line_.front()->message);
      store_line_.pop_front();
      ++next;
    }
  }
  sending_changed_.notify_one();
}

void WaitingEvents::storing_fails() {
  {
    const std::lock_guard lock(mutex_);
    failing_ = true;
  }
  sending_changed_.notify_one();
}

std::optional<WaitingEvents::Outgoing> WaitingEvents::to_send() {
  std::unique_lock lock(mutex_);
  while (true) {
    if (send_line_.empty()) {
      if (closed_) return std::nullopt;
      sending_changed_.wait(lock);
      continue;
    }
    const Entry& next = *send_line_.front();
    const auto until = next.arrived + patience_;
    const bool late = std::chrono::steady_clock::now() >= until;
    if (!next.stored && !failing_ && !closed_ && !late) {
      sending_changed_.wait_until(lock, until);
      continue;
    }
    failing_ = failing_ || (late && !next.stored);  // and so nobody after it has to wait as long
    const Outgoing outgoing{.message = next.message, .stored = next.stored};
    send_line_.pop_front();
    return outgoing;
  }
}

void WaitingEvents::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  sending_changed_.notify_one();
}

std::uint64_t WaitingEvents::unstored() const {
  const std::lock_guard lock(mutex_);
  return store_line_.size();
}

std::uint64_t WaitingEvents::lost() const {
  const std::lock_guard lock(mutex_);
  return lost_;
}

}  // namespace palisade
