#include "ingest/feed_process.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <array>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "base/log.h"
#include "ingest/allowed_hosts.h"
#include "ingest/child_process.h"
#include "ingest/clip_wire.h"
#include "ingest/confinement.h"
#include "ingest/connection_guard.h"
#include "ingest/feed_channel.h"
#include "ingest/retry.h"
#include "ingest/source/pause.h"
#include "ingest/source/url.h"
#include "ingest/start_turns.h"
#include "ingest/wire_bytes.h"

namespace palisade {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kMaxChildSilence{15'000};  // children send a sign of life twice a second
constexpr milliseconds kListening{500};
constexpr milliseconds kEnding{2'500};  // after a stop: longer than a Feed's own patience
constexpr milliseconds kReaping{1'000};
constexpr int kReceiveBytes = 256 << 10;
constexpr std::size_t kMaxTextMessage = 64 << 10, kMaxConfinement = 80;
constexpr int kMaxReports = 200;
constexpr std::chrono::seconds kReportsWithin{10};

// Loading libraries takes a core for a while: cameras that start together would hold up those that run.
StartTurns& turns_of_starts() {
  static StartTurns turns(8, milliseconds(2'000));
  return turns;
}

// The same of all cameras of this machine, and of all their lives.
void tell_confinement(const std::string& by_itself, const ConnectionGuard* guard) {
  static std::once_flag told;
  std::call_once(told, [&] {
    log_info("camera processes are confined by: " + escaped(by_itself.substr(0, kMaxConfinement)) + ", " +
             std::string(guard == nullptr ? kNoLimitOfHosts : guard->in_force()));
  });
}

std::size_t most_bytes_of(const FeedOptions& options) {
  const auto side = std::size_t(options.image_size);
  return side * side * 3 * sizeof(float) + kMaxTextMessage;
}

}  // namespace

// What is known of a child while it lives.
struct FeedProcess::Life {
  Life(const FeedOptions& options, pid_t pid, std::unique_ptr<StartTurns::Turn> its_turn)
      : child(pid), clips(options), turn(std::move(its_turn)) {}

  // The next descriptor that came, which a message tells of. Throws WireError.
  Descriptor next_descriptor() {
    if (descriptors.empty()) throw WireError("a message without its descriptor");
    Descriptor next = std::move(descriptors.front());
    descriptors.pop_front();
    return next;
  }
  // Throws WireError where more is told than could happen.
  void count_report() {
    const auto now = steady_clock::now();
    if (now - counted_since >= kReportsWithin) {
      counted_since = now;
      reports = 0;
    }
    if (++reports > kMaxReports) throw WireError("more reports than a camera has changes");
  }

  const pid_t child;
  ClipReceiver clips;
  std::deque<Descriptor> descriptors;
  std::unique_ptr<ConnectionGuard> guard;
  std::unique_ptr<StartTurns::Turn> turn;  // until its first report
  MonotonicTime counted_since = steady_clock::now();
  int reports = 0;
  bool hangs = false;  // it was told to stop and did not
};

FeedProcess::FeedProcess(FeedOptions options, Feed::OnClip on_clip, Feed::OnReport on_report,
                         FeedProcessOptions process)
    : options_(std::move(options)),
      on_clip_(std::move(on_clip)),
      on_report_(std::move(on_report)),
      process_(std::move(process)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

FeedProcess::~FeedProcess() {
  request_stop();
  thread_.join();
}

void FeedProcess::request_stop() {
  thread_.request_stop();
}

void FeedProcess::take(FeedReport report) {
  if (report.state == FeedState::kOnline && !std::exchange(online_, true))
    online_since_ = steady_clock::now();
  if (report.state != FeedState::kOnline) online_ = false;
  if (report.width > 0) width_ = report.width;
  if (report.height > 0) height_ = report.height;
  removed_ |= report.state == FeedState::kRemoved;
  if (report.state == FeedState::kEnded) ended_ = true;
  on_report_(report);
}

// A name may lead anywhere, so it is opened only where its connections are judged. Throws WireError.
void FeedProcess::require_networks(const Life& life) const {
  const bool judged = life.guard && life.guard->in_force() != kNoLimitOfHosts;
  if (options_.source.networks.empty() || judged || host_address_of(host_of(options_.source.url))) return;
  throw WireError(
      "a host's name, where this machine does not let its connections be limited to http.networks; "
      "give its address in numbers");
}

// Throws WireError.
void FeedProcess::take(FeedMessage kind, const std::string& values, Life& life) {
  switch (kind) {
    case FeedMessage::kImage:
      return life.clips.take_image(values);
    case FeedMessage::kSharedImage:
      return life.clips.take_shared_image(values, life.next_descriptor());
    case FeedMessage::kForget:
      return life.clips.forget(values);
    case FeedMessage::kClip: {
      auto [clip, sampling] = life.clips.clip(values);
      return on_clip_(std::move(clip), sampling);
    }
    case FeedMessage::kReport:
      life.count_report();
      life.turn.reset();
      return take(read_wire_report(values));
    case FeedMessage::kConnections:
      if (life.guard) throw WireError("its connections twice");
      life.guard = std::make_unique<ConnectionGuard>(
          life.next_descriptor(), life.child,
          AllowedHosts(hosts_of(options_.source), options_.source.networks), options_.stream);
      return;
    case FeedMessage::kConfined:
      require_networks(life);
      // A gst: line may connect to any host, which says nothing of the others.
      if (limits_hosts(options_.source)) tell_confinement(read_wire_text(values), life.guard.get());
      return;
    case FeedMessage::kFrames:
      frames_ = read_wire_count(values);
      return;
    case FeedMessage::kFinished:
      return;
    case FeedMessage::kOptions:
    case FeedMessage::kStop:
    case FeedMessage::kWatch:
      throw WireError("what only a service sends");
  }
}

// Until the child has ended by itself or is silent, which throws. A stop is passed on to it.
bool FeedProcess::listen(const ChildProcess& child, Life& life, const std::stop_token& stop) {
  const Descriptor wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  const std::stop_callback ring(stop, [&] { eventfd_write(wake.number(), 1); });
  FeedMessageReader reader(most_bytes_of(options_));
  std::vector<char> bytes(kReceiveBytes);
  std::optional<MonotonicTime> ends;  // once it has been told to stop
  milliseconds silent{0};
  if (!send_whole(child.channel(), wire_message(FeedMessage::kOptions, wire_options(options_)))) return false;
  while (true) {
    if (stop.stop_requested() && !ends) {
      send_whole(child.channel(), wire_message(FeedMessage::kStop));
      ends = steady_clock::now() + kEnding;
    }
    if (!ends && watched_.exchange(false)) send_whole(child.channel(), wire_message(FeedMessage::kWatch));
    const milliseconds wait =
        ends ? std::chrono::ceil<milliseconds>(*ends - steady_clock::now()) : kListening;
    if (wait.count() <= 0) {
      life.hangs = true;
      return true;
    }
    std::array<pollfd, 2> items{{{child.channel(), POLLIN, 0}, {ends ? -1 : wake.number(), POLLIN, 0}}};
    // Glances are counted instead of time, because this process itself may have been suspended.
    silent = poll(items.data(), items.size(), int(wait.count())) == 0 ? silent + wait : milliseconds(0);
    if (silent >= kMaxChildSilence) throw WireError("nothing for too long");
    if ((items[0].revents & (POLLIN | POLLHUP)) == 0) continue;
    const std::size_t got = receive_some(child.channel(), bytes, life.descriptors);
    if (got == 0) return ends.has_value();
    reader.take({bytes.data(), got});
    while (auto message = reader.next()) {
      if (message->first == FeedMessage::kFinished) return true;
      take(message->first, message->second, life);
    }
  }
}

std::string FeedProcess::live(const std::stop_token& stop) {
  std::unique_ptr<StartTurns::Turn> turn = turns_of_starts().take(stop);
  if (!turn) return {};
  ChildProcess child({process_.program, "feed", "--memory", std::to_string(process_.memory_bytes)});
  child_ = child.pid();
  Life life(options_, child.pid(), std::move(turn));
  try {
    const bool expected = listen(child, life, stop);
    const int status = child.end(life.hangs ? milliseconds(0) : kReaping);
    return expected ? std::string() : how_it_ended(status);
  } catch (const WireError& error) {
    return stop.stop_requested() ? std::string() : error.what();  // and it is killed
  }
}

void FeedProcess::run(const std::stop_token& stop) {
  Retry retry(options_.retry);
  Pause pause(stop);
  while (!stop.stop_requested() && !ended_) {
    std::string how;
    try {
      how = live(stop);
    } catch (const SourceError& error) {
      how = error.what();
    }
    child_ = 0;
    frames_of_earlier_ += frames_.exchange(0);
    if (how.empty()) break;
    const auto online =
        online_ ? std::chrono::floor<milliseconds>(steady_clock::now() - online_since_) : milliseconds(0);
    retry.count(online);
    const milliseconds wait = retry.pause(SourceFault::kUnreachable, milliseconds(0));
    take({.stream = options_.stream,
          .state = FeedState::kCrashed,
          .reason = how,
          .since = wall_now(),
          .attempt = retry.attempt(),
          .next_try_in = wait,
          .width = width_,
          .height = height_});
    if (!pause.until(steady_clock::now() + wait)) break;
  }
  if (stop.stop_requested() && !removed_ && !ended_)
    take({.stream = options_.stream,
          .state = FeedState::kRemoved,
          .since = wall_now(),
          .width = width_,
          .height = height_});
}

}  // namespace palisade
