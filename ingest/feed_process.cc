#include "ingest/feed_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <utility>
#include <vector>

#include "base/log.h"
#include "ingest/feed_channel.h"
#include "ingest/retry.h"
#include "ingest/source/pause.h"
#include "ingest/wire_bytes.h"

namespace palisade {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kMaxChildSilence{15'000};  // children send a sign of life twice a second
constexpr milliseconds kEnding{2'000};            // after a stop, before it is killed
constexpr milliseconds kReaping{1'000};
constexpr int kReceiveBytes = 256 << 10;

std::string how_it_ended(int status) {
  if (WIFSIGNALED(status)) {
    const int number = WTERMSIG(status);
    return std::string("its process was ended by signal ") + std::to_string(number) + " (" +
           strsignal(number) + ")";
  }
  return "its process ended with code " + std::to_string(WEXITSTATUS(status));
}

// The same of all cameras of this machine, and of all their lives.
void tell_confinement(const std::string& what) {
  static std::once_flag told;
  std::call_once(told, [&] { log_info("camera processes are confined by: " + escaped(what.substr(0, 80))); });
}

}  // namespace

// A running child and this end of its channel. Killed and reaped where it is still there at the end.
class FeedProcess::Child {
 public:
  explicit Child(const FeedProcessOptions& options);
  ~Child() {
    if (channel_ >= 0) close(channel_);
    if (!reaped_) end(milliseconds(0));
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  int channel() const { return channel_; }
  int pid() const { return pid_; }
  // How it ended; killed where it has not within the time.
  int end(milliseconds patience);

 private:
  int channel_ = -1;
  pid_t pid_ = -1;
  bool reaped_ = false;
  int status_ = 0;
};

FeedProcess::Child::Child(const FeedProcessOptions& options) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    throw SourceError(SourceFault::kUnreachable,
                      std::string("no socket for its process: ") + std::strerror(errno));
  channel_ = ends[0];
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&files, ends[1], kFeedChannel);
  posix_spawn_file_actions_addclosefrom_np(&files, kFeedChannel + 1);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  std::array<std::string, 4> words{options.program, "feed", "--memory", std::to_string(options.memory_bytes)};
  std::array<char*, 5> arguments{words[0].data(), words[1].data(), words[2].data(), words[3].data(), nullptr};
  const int fault =
      posix_spawn(&pid_, options.program.c_str(), &files, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  close(ends[1]);
  if (fault == 0) return;
  reaped_ = true;
  close(std::exchange(channel_, -1));
  throw SourceError(SourceFault::kUnreachable,
                    std::string("its process cannot be started: ") + std::strerror(fault));
}

int FeedProcess::Child::end(milliseconds patience) {
  const auto until = steady_clock::now() + patience;
  while (!reaped_) {
    const bool late = steady_clock::now() >= until;
    if (late) kill(-pid_, SIGKILL);
    const pid_t ended = waitpid(pid_, &status_, late ? 0 : WNOHANG);
    reaped_ = ended == pid_ || (ended < 0 && errno != EINTR);
    if (!reaped_ && !late) usleep(5'000);
  }
  return status_;
}

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

// Throws WireError.
void FeedProcess::take(FeedMessage kind, const std::string& values, ClipReceiver& receiver) {
  switch (kind) {
    case FeedMessage::kImage:
      return receiver.take_image(values);
    case FeedMessage::kForget:
      return receiver.forget(values);
    case FeedMessage::kClip: {
      auto [clip, sampling] = receiver.clip(values);
      if (sampling >= options_.samplings.size()) throw WireError("a clip of no sampling");
      return on_clip_(std::move(clip), sampling);
    }
    case FeedMessage::kReport:
      return take(read_wire_report(values));
    case FeedMessage::kConfined:
      return tell_confinement(read_wire_text(values));
    case FeedMessage::kFrames:
      frames_ = read_wire_count(values);
      return;
    case FeedMessage::kFinished:
      return;
    case FeedMessage::kOptions:
    case FeedMessage::kStop:
      throw WireError("what only a service sends");
  }
}

std::string FeedProcess::live(Child& child, const std::stop_token& stop) {
  const int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  const std::stop_callback ring(stop, [wake] { eventfd_write(wake, 1); });
  std::string how;
  bool finished = false, stopping = false;
  auto until = steady_clock::now() + kMaxChildSilence;
  try {
    FeedMessageReader reader;
    ClipReceiver receiver;
    std::vector<char> bytes(kReceiveBytes);
    bool open = send_whole(child.channel(), wire_message(FeedMessage::kOptions, wire_options(options_)));
    while (open && !finished) {
      if (stop.stop_requested() && !std::exchange(stopping, true)) {
        send_whole(child.channel(), wire_message(FeedMessage::kStop));
        until = steady_clock::now() + kEnding;
      }
      std::array<pollfd, 2> items{{{child.channel(), POLLIN, 0}, {stopping ? -1 : wake, POLLIN, 0}}};
      const auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now());
      if (left.count() <= 0) {
        if (!stopping) how = "its process does not answer any more";
        break;
      }
      poll(items.data(), items.size(), int(left.count()));
      if ((items[0].revents & (POLLIN | POLLHUP)) == 0) continue;
      const ssize_t got = recv(child.channel(), bytes.data(), bytes.size(), 0);
      if (got < 0 && errno == EINTR) continue;
      open = got > 0;
      if (!open) break;
      if (!stopping) until = steady_clock::now() + kMaxChildSilence;
      reader.take({bytes.data(), std::size_t(got)});
      while (auto message = reader.next()) {
        if (message->first == FeedMessage::kFinished) finished = true;
        take(message->first, message->second, receiver);
      }
    }
  } catch (const WireError& error) {
    how = error.what();
  }
  const bool expected = finished || stopping;
  const int status = child.end(how.empty() || expected ? kReaping : milliseconds(0));
  close(wake);
  if (expected) return {};
  return how.empty() ? how_it_ended(status) : how;
}

void FeedProcess::run(const std::stop_token& stop) {
  Retry retry(options_.retry);
  Pause pause(stop);
  while (!stop.stop_requested() && !ended_) {
    std::string how;
    try {
      Child child(process_);
      child_ = child.pid();
      how = live(child, stop);
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
