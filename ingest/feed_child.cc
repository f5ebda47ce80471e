#include "ingest/feed_child.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/log.h"
#include "ingest/clip_wire.h"
#include "ingest/confinement.h"
#include "ingest/feed.h"
#include "ingest/feed_channel.h"
#include "ingest/feed_wire.h"
#include "ingest/open_source.h"
#include "ingest/source/url.h"
#include "ingest/wire_bytes.h"

namespace palisade {
namespace {

constexpr std::chrono::milliseconds kSignOfLife{500};
constexpr std::size_t kMaxWaitingClips = 2;  // of a sampling, as many as the engine's queue keeps
constexpr std::size_t kMaxWaitingReports = 256;
constexpr int kMaxUnread = 64 << 10;

// Whether most of what was sent has been taken: descriptors on the way are a user's scarce good.
bool is_taken(int channel) {
  int unread = 0;
  return ioctl(channel, SIOCOUTQ, &unread) == 0 && unread < kMaxUnread;
}

bool send_clip(int channel, const ClipMessages& messages) {
  return send_whole(channel, messages.bytes, messages.memory);
}

// What waits to be sent, so that the Feed never waits for the other end.
class Outbox {
 public:
  explicit Outbox(bool waits) : waits_(waits) {}

  void report(const FeedReport& report) {
    const std::lock_guard lock(mutex_);
    if (reports_.size() >= kMaxWaitingReports) reports_.pop_front();
    reports_.push_back(report);
    changed_.notify_all();
  }
  void clip(Clip clip, std::size_t sampling) {
    std::unique_lock lock(mutex_);
    if (sampling >= clips_.size()) clips_.resize(sampling + 1);
    std::deque<Clip>& waiting = clips_[sampling];
    if (waits_) changed_.wait(lock, [&] { return waiting.size() < kMaxWaitingClips || closed_; });
    if (waiting.size() >= kMaxWaitingClips) {
      const std::uint64_t lost = waiting.front().lost_before + 1;
      waiting.pop_front();
      (waiting.empty() ? clip : waiting.front()).lost_before += lost;
    }
    waiting.push_back(std::move(clip));
    changed_.notify_all();
  }
  void finish() {
    const std::lock_guard lock(mutex_);
    finished_ = true;
    changed_.notify_all();
  }

  // Sends until the feed has finished and all is sent, or nobody takes it any more. Both true: it was sent.
  bool send_to(int channel, const ClipFeed& feed) {
    ClipSender sender;
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait_for(lock, kSignOfLife, [this] { return finished_ || something_waits(); });
      std::string messages = wire_message(FeedMessage::kFrames, wire_count(feed.frames_seen()));
      for (const FeedReport& report : std::exchange(reports_, {}))
        messages += wire_message(FeedMessage::kReport, wire_report(report));
      std::vector<std::deque<Clip>> clips(clips_.size());
      std::ranges::swap_ranges(clips, clips_);
      const bool last = finished_;
      changed_.notify_all();
      lock.unlock();
      bool taken = send_whole(channel, messages);
      for (std::size_t sampling = 0; sampling < clips.size(); ++sampling) {
        for (const Clip& clip : clips[sampling])
          taken = taken &&
                  send_clip(channel, sender.messages_of(clip, std::uint32_t(sampling), is_taken(channel)));
      }
      if (last) taken = taken && send_whole(channel, wire_message(FeedMessage::kFinished));
      lock.lock();
      if (!taken) closed_ = true;
      if (!taken || last) return taken;
    }
  }

 private:
  bool something_waits() const {
    return !reports_.empty() ||
           std::ranges::any_of(clips_, [](const std::deque<Clip>& waiting) { return !waiting.empty(); });
  }

  const bool waits_;
  std::mutex mutex_;
  std::condition_variable changed_;
  // All below is guarded by mutex_.
  std::deque<FeedReport> reports_;
  std::vector<std::deque<Clip>> clips_;  // by sampling
  bool finished_ = false, closed_ = false;
};

// The next message, or nothing where the other end has closed.
std::optional<std::pair<FeedMessage, std::string>> receive(int channel, FeedMessageReader& reader) {
  std::string bytes(64 << 10, '\0');
  std::deque<Descriptor> none;
  while (true) {
    if (auto message = reader.next()) return message;
    const std::size_t got = receive_some(channel, bytes, none);
    if (got == 0) return std::nullopt;
    reader.take(std::string_view(bytes).substr(0, got));
  }
}

// The notifications are given away whole: who keeps them could answer them itself.
void confine(const SourceOptions& source, int channel) {
  prepare_source(source);
  Confinement confinement = confine_process(source, channel);
  if (confinement.connections.is_open()) {
    std::vector<Descriptor> connections;
    connections.push_back(std::move(confinement.connections));
    send_whole(channel, wire_message(FeedMessage::kConnections), connections);
  }
  send_whole(channel, wire_message(FeedMessage::kConfined, wire_text(confinement.in_force)));
}

}  // namespace

int run_feed_child(int channel) {
  FeedMessageReader reader;
  const auto first = receive(channel, reader);
  if (!first) return 0;
  if (first->first != FeedMessage::kOptions) throw WireError("no settings");
  const FeedOptions options = read_wire_options(first->second);
  hide_secret(options.source.password);
  hide_secrets_of(options.source.url);
  confine(options.source, channel);
  Outbox outbox(names_file(options.source.url) && !options.pace);
  auto feed = std::make_unique<Feed>(
      options, [&](Clip clip, std::size_t sampling) { outbox.clip(std::move(clip), sampling); },
      [&](const FeedReport& report) {
        outbox.report(report);
        if (report.state == FeedState::kEnded || report.state == FeedState::kRemoved) outbox.finish();
      });
  std::jthread stopping([&] {
    while (const auto message = receive(channel, reader)) {
      if (message->first == FeedMessage::kStop) break;
      if (message->first == FeedMessage::kWatch) feed->watch();
    }
    feed->request_stop();
  });
  const bool sent = outbox.send_to(channel, *feed);
  shutdown(channel, SHUT_RDWR);
  feed->request_stop();
  stopping.join();
  feed.reset();
  return sent ? 0 : 1;
}

}  // namespace palisade
