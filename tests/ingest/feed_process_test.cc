#include "ingest/feed_process.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <fstream>
#include <memory>
#include <mutex>
#include <vector>

#include "ingest/feed_wire.h"
#include "tests/ingest/test_files.h"

using namespace palisade;
using namespace std::chrono_literals;

namespace {

// What a feed gave, and a way to wait for it.
class Given {
 public:
  Feed::OnClip on_clip() {
    return [this](Clip clip, std::size_t) {
      const std::lock_guard lock(mutex_);
      clips_.push_back(std::move(clip));
      changed_.notify_all();
    };
  }
  Feed::OnReport on_report() {
    return [this](const FeedReport& report) {
      const std::lock_guard lock(mutex_);
      reports_.push_back(report);
      changed_.notify_all();
    };
  }
  // The reports up to the `count`th of this state.
  std::vector<FeedReport> until(FeedState state, int count = 1) {
    std::unique_lock lock(mutex_);
    const auto there = [&] { return std::ranges::count(reports_, state, &FeedReport::state) >= count; };
    if (!changed_.wait_for(lock, 60s, there)) throw std::runtime_error("that state did not come");
    return reports_;
  }
  std::vector<Clip> clips() {
    const std::lock_guard lock(mutex_);
    return clips_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Clip> clips_;
  std::vector<FeedReport> reports_;
};

FeedOptions film(bool for_ever = false) {
  FeedOptions options{.stream = "a",
                      .source = {.url = test::golden("clips/street.mp4")},
                      .samplings = {{.count = 2, .span = 500ms, .stride = 250ms}},
                      .image_size = 32,
                      .pace = for_ever,
                      .loop = for_ever};
  options.retry = {.first = 10ms, .longest = 20ms, .stable = 30s, .after_auth_failure = 20ms};
  return options;
}

const FeedProcessOptions kProgram{.program = PALISADE_PROGRAM};

}  // namespace

TEST_CASE("a film gives the same clips through a process of its own, to the last bit") {
  Given here, there;
  {
    const Feed feed(film(), here.on_clip(), here.on_report());
    here.until(FeedState::kEnded);
  }
  {
    const FeedProcess feed(film(), there.on_clip(), there.on_report(), kProgram);
    there.until(FeedState::kEnded);
    CHECK(feed.frames_seen() > 0);
  }
  const auto expected = here.clips(), got = there.clips();
  REQUIRE(got.size() == expected.size());
  REQUIRE_FALSE(got.empty());
  for (std::size_t clip = 0; clip < got.size(); ++clip) {
    REQUIRE(got[clip].frames.size() == expected[clip].frames.size());
    for (std::size_t i = 0; i < got[clip].frames.size(); ++i) {
      const Frame &one = got[clip].frames[i], &other = expected[clip].frames[i];
      CHECK(one.stamp.number == other.stamp.number);
      CHECK(one.stamp.pts == other.stamp.pts);
      CHECK(std::ranges::equal(one.image.bytes(), other.image.bytes()));
    }
  }
}

TEST_CASE("glimpses of a process come without being asked for, and as views while somebody watches") {
  Given given;
  FeedOptions options = film(true);
  options.samplings.clear();
  options.glimpses = true;
  FeedProcess feed(std::move(options), given.on_clip(), given.on_report(), kProgram);
  given.until(FeedState::kOnline);
  const auto newest_has_view = [&] {
    const auto clips = given.clips();
    return !clips.empty() && !clips.back().frames[0].view.empty();
  };
  const auto end = std::chrono::steady_clock::now() + 60s;
  while (given.clips().size() < 2 && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(50ms);
  REQUIRE_FALSE(newest_has_view());
  while (!newest_has_view() && std::chrono::steady_clock::now() < end) {
    feed.watch();
    std::this_thread::sleep_for(50ms);
  }
  CHECK(newest_has_view());
}

TEST_CASE("a process that is killed is told as crashed, with the signal, and started again") {
  Given given;
  int last = 0;
  {
    FeedProcess feed(film(true), given.on_clip(), given.on_report(), kProgram);
    for (int life = 1; life <= 3; ++life) {
      given.until(FeedState::kOnline, life);
      REQUIRE(feed.child() > 0);
      kill(feed.child(), SIGABRT);  // which no sanitizer catches
      const auto reports = given.until(FeedState::kCrashed, life);
      CHECK(reports.back().reason.find("signal 6") != std::string::npos);
    }
    given.until(FeedState::kOnline, 4);
    last = feed.child();
  }
  CHECK(given.until(FeedState::kRemoved).back().state == FeedState::kRemoved);
  CHECK(kill(last, 0) != 0);
  CHECK(waitpid(-1, nullptr, WNOHANG) == -1);  // nobody is left to be waited for
}

TEST_CASE("a process that stands still is left no longer than its time when the feed is stopped") {
  Given given;
  int last = 0;
  {
    FeedProcess feed(film(true), given.on_clip(), given.on_report(), kProgram);
    given.until(FeedState::kOnline);
    last = feed.child();
    kill(last, SIGSTOP);
  }
  given.until(FeedState::kRemoved);
  CHECK(kill(last, 0) != 0);
}

TEST_CASE("a program that is no camera's process is told, not waited for") {
  for (const char* const program : {"/nowhere/at/all", "/bin/false", "/bin/true"}) {
    CAPTURE(program);
    Given given;
    const FeedProcess feed(film(), given.on_clip(), given.on_report(), {.program = program});
    CHECK_FALSE(given.until(FeedState::kCrashed).front().reason.empty());
  }
}

namespace {

// A program that sends these bytes as a camera's process would, and then stays.
class Sender {
 public:
  explicit Sender(const std::string& bytes) {
    std::ofstream(bytes_, std::ios::binary) << bytes;
    std::ofstream(program()) << "#!/bin/sh\ncat '" << bytes_ << "' >&3\nexec sleep 600\n";
    chmod(program().c_str(), 0700);
  }
  ~Sender() {
    unlink(bytes_.c_str());
    unlink(program().c_str());
  }
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;
  std::string program() const { return bytes_ + ".sh"; }

 private:
  const std::string bytes_ = "/tmp/palisade-sender-" + std::to_string(getpid());
};

std::string crash_reason(const std::string& bytes) {
  const Sender sender(bytes);
  Given given;
  const FeedProcess feed(film(), given.on_clip(), given.on_report(), {.program = sender.program()});
  return given.until(FeedState::kCrashed).back().reason;
}

}  // namespace

TEST_CASE("a process that sends what no camera's process would is killed, and that is told") {
  const std::string report =
      wire_message(FeedMessage::kReport, wire_report({.stream = "a", .since = wall_now()}));
  std::string flood;
  for (int i = 0; i < 1'000; ++i) flood += report;
  const std::string hostile[] = {std::string(1'000, '\xff'),
                                 flood,
                                 wire_message(FeedMessage::kSharedImage, "abc"),
                                 wire_message(FeedMessage::kConnections),
                                 wire_message(FeedMessage::kStop),
                                 wire_message(FeedMessage::kReport, "abc"),
                                 wire_message(FeedMessage::kImage, std::string(1 << 20, 'a'))};
  for (const std::string& bytes : hostile) {
    CAPTURE(bytes.size());
    CHECK(crash_reason(bytes).find("a camera's process sent ") == 0);
  }
}
