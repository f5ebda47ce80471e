#include "ingest/apart.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "feed_log.h"
#include "ingest/feed.h"

using namespace palisade;

namespace {

// The call in which a stuck library hangs, and a way to release it.
enum class Stuck { kNowhere, kOpening, kReading, kClosing };

class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  // Like a library that cannot be interrupted.
  void pass() {
    std::unique_lock lock(mutex_);
    ++inside_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_; });
  }
  void await_somebody() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return inside_ > 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  int inside_ = 0;
};

class StuckSource : public Source {
 public:
  StuckSource(Stuck where, std::shared_ptr<Gate> gate) : where_(where), gate_(std::move(gate)) {
    if (where_ == Stuck::kOpening) gate_->pass();
  }
  ~StuckSource() override {
    if (where_ == Stuck::kClosing) gate_->pass();
  }
  std::optional<Frame> next(const Wanted& wanted) override {
    if (where_ == Stuck::kReading && number_ > 0) gate_->pass();
    const FrameStamp stamp{.number = number_++, .pts = std::chrono::milliseconds(100 * number_)};
    if (number_ > 3 || !wanted(stamp)) return std::nullopt;
    return Frame{stamp, "", 1, 1, Image(1, 1, std::vector<std::uint8_t>(3))};
  }
  bool live() const override { return true; }
  std::string remark() const override { return "a remark"; }

 private:
  const Stuck where_;
  const std::shared_ptr<Gate> gate_;
  std::uint64_t number_ = 0;
};

OpenSource opens(Stuck where, const std::shared_ptr<Gate>& gate) {
  return [=](const SourceOptions&, std::stop_token) { return std::make_unique<StuckSource>(where, gate); };
}

void await_return() {
  // open_apart() of the same address waits for the abandoned readers.
  const auto gate = std::make_shared<Gate>();
  for (const char* url : {"stuck:", "rtsp://me:hunter2@stuck/"}) {
    open_apart(opens(Stuck::kNowhere, gate), {.url = url}, {});
  }
  REQUIRE(readers_left_behind() == 0);
}

// Options of a camera with a short time until its reader counts as hung.
SourceOptions impatient() {
  using std::chrono::milliseconds;
  return {.url = "rtsp://me:hunter2@stuck/",
          .open_timeout = milliseconds(1),
          .stall_timeout = milliseconds(1),
          .keyframe_timeout = milliseconds(1),
          .frame_interval = milliseconds(1)};
}

const Wanted kAll = [](const FrameStamp&) { return true; };

}  // namespace

TEST_CASE("a source that is read apart gives the same frames, end, remark and exceptions") {
  const auto gate = std::make_shared<Gate>();
  const auto source = open_apart(opens(Stuck::kNowhere, gate), {.url = "fake:"}, {});
  CHECK(source->live());
  for (std::uint64_t i = 0; i < 3; ++i) CHECK(source->next(kAll)->stamp.number == i);
  CHECK(source->remark() == "a remark");
  CHECK_FALSE(source->next(kAll).has_value());
  const OpenSource fails = [](const SourceOptions&, std::stop_token) -> std::unique_ptr<Source> {
    throw SourceError(SourceFault::kAuthFailed, "who are you?");
  };
  CHECK_THROWS_WITH_AS(open_apart(fails, {.url = "fake:"}, {}), "who are you?", SourceError);
  CHECK_THROWS_WITH_AS(
      open_apart(opens(Stuck::kNowhere, gate), {.url = "fake:"}, {})->next([](const FrameStamp&) -> bool {
        throw SourceError(SourceFault::kStalled, "the caller's own");
      }),
      "the caller's own", SourceError);
}

TEST_CASE(
    "a feed ends and says that it is removed, wherever its source is stuck, and its callbacks with it") {
  for (const Stuck where : {Stuck::kOpening, Stuck::kReading, Stuck::kClosing}) {
    CAPTURE(int(where));
    const auto gate = std::make_shared<Gate>();
    test::FeedLog log;
    {
      Feed feed({.stream = "stuck", .source = {.url = "stuck:"}, .samplings = {{.count = 1}}}, log.on_clip(),
                log.on_report(), opens(where, gate));
      gate->await_somebody();
    }
    CHECK(log.count(FeedState::kRemoved) == 1);
    CHECK(log.reports().back().reason.find("left behind") != std::string::npos);
    CHECK(readers_left_behind() == 1);
    CHECK(readers_left_behind("stuck:") == 1);
    const std::size_t reports = log.reports().size(), clips = log.clips().size();
    gate->open();
    await_return();
    CHECK(log.reports().size() == reports);
    CHECK(log.clips().size() == clips);
  }
}

TEST_CASE("an address is opened beside few stuck readers and no more, so threads do not pile up") {
  const auto gate = std::make_shared<Gate>();
  const SourceOptions options{.url = "stuck:", .open_timeout = std::chrono::milliseconds(1)};
  for (int i = 0; i < kMaxLeftBehind; ++i) {
    std::stop_source stop;
    auto source = open_apart(opens(Stuck::kReading, gate), options, stop.get_token());
    CHECK(source->next(kAll).has_value());
    stop.request_stop();
    CHECK_THROWS_WITH_AS(source->next(kAll), doctest::Contains("left behind"), SourceError);
  }
  for (int i = 0; i < 3; ++i) {
    CHECK_THROWS_WITH_AS(open_apart(opens(Stuck::kReading, gate), options, {}),
                         doctest::Contains("have not come back"), SourceError);
  }
  CHECK(readers_left_behind("stuck:") == kMaxLeftBehind);
  CHECK(readers_left_behind("another:") == 0);
  gate->open();
  await_return();
}

TEST_CASE("a reader that hangs though nobody stops it is left behind, while opening and while reading") {
  for (const Stuck where : {Stuck::kOpening, Stuck::kReading}) {
    CAPTURE(int(where));
    const auto gate = std::make_shared<Gate>();
    try {
      const auto source = open_apart(opens(where, gate), impatient(), {});
      CHECK(source->next(kAll).has_value());
      source->next(kAll);
      FAIL("it came back");
    } catch (const SourceError& error) {
      CHECK(error.fault() == SourceFault::kHung);
      CHECK(std::string(error.what()).find("hangs") != std::string::npos);
      CHECK(std::string(error.what()).find("hunter2") == std::string::npos);
    }
    CHECK(readers_left_behind() == 1);
    gate->open();
    await_return();
  }
}

TEST_CASE("neither a caller who takes long over a frame nor one who asks for none makes a reader hang") {
  const auto gate = std::make_shared<Gate>();
  const auto source = open_apart(opens(Stuck::kNowhere, gate), impatient(), {});
  const auto longer = longest_silence(impatient()).reading + std::chrono::milliseconds(700);
  const Wanted slowly = [&](const FrameStamp&) {
    std::this_thread::sleep_for(longer);
    return true;
  };
  CHECK(source->next(slowly).has_value());
  std::this_thread::sleep_for(longer);
  CHECK(source->next(kAll).has_value());
}

TEST_CASE("a source may be as silent as its own rules allow, and a file far longer") {
  const SourceOptions camera{.url = "rtsp://camera/"};
  const auto usual = longest_silence(camera);
  CHECK(usual.opening > camera.open_timeout);
  CHECK(usual.reading > std::max(camera.stall_timeout, camera.keyframe_timeout));
  SourceOptions keyframes = camera;
  keyframes.decode = Decode::kKeyframes;
  CHECK(longest_silence(keyframes).reading > kKeyframeStalls * keyframes.stall_timeout);
  SourceOptions stills{.url = "http://camera/still.jpg", .frame_interval = std::chrono::hours(1)};
  CHECK(longest_silence(stills).reading > stills.frame_interval + stills.open_timeout);
  CHECK(longest_silence({.url = "film.mp4"}).reading > 5 * usual.reading);
}

TEST_CASE("a feed whose reader hangs says so, opens anew, and is patient once several hang") {
  const auto gate = std::make_shared<Gate>();
  test::FeedLog log;
  FeedOptions options{.stream = "stuck", .source = impatient(), .samplings = {{.count = 1}}};
  options.retry = {.first = std::chrono::milliseconds(1),
                   .longest = std::chrono::hours(1),
                   .stable = std::chrono::milliseconds(0)};
  {
    Feed feed(options, log.on_clip(), log.on_report(), opens(Stuck::kReading, gate));
    REQUIRE(log.wait_for(FeedState::kReconnecting, kMaxLeftBehind));
    CHECK(log.count(FeedState::kOnline) == kMaxLeftBehind);
    CHECK(log.count(FeedState::kStalled) == kMaxLeftBehind);
    for (const FeedReport& report : log.reports()) {
      if (report.state != FeedState::kStalled) continue;
      CHECK(report.reason.find("its reader hangs") != std::string::npos);
    }
    CHECK(readers_left_behind(options.source.url) == kMaxLeftBehind);
    CHECK(log.reports()[2].next_try_in < std::chrono::minutes(1));
    CHECK(log.reports().back().next_try_in > std::chrono::minutes(40));
  }
  CHECK(log.count(FeedState::kEnded) == 0);
  gate->open();
  await_return();
}

TEST_CASE("however long a stream has run, its reader has its time to come back after a stop") {
  // Takes as long to stop as a camera that is sent a TEARDOWN.
  class Polite : public Source {
   public:
    explicit Polite(std::stop_token stop) : stop_(std::move(stop)) {}
    std::optional<Frame> next(const Wanted& wanted) override {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      if (stop_.stop_requested()) {
        std::this_thread::sleep_for(std::chrono::milliseconds(150));
        throw SourceError(SourceFault::kInterrupted, "said good-bye");
      }
      const FrameStamp stamp{.number = number_++, .pts = std::chrono::milliseconds(20 * number_)};
      wanted(stamp);
      return Frame{stamp, "", 1, 1, Image(1, 1, std::vector<std::uint8_t>(3))};
    }
    bool live() const override { return true; }

   private:
    const std::stop_token stop_;
    std::uint64_t number_ = 0;
  };
  std::stop_source stop;
  const auto source = open_apart(
      [](const SourceOptions&, std::stop_token token) { return std::make_unique<Polite>(std::move(token)); },
      {.url = "polite:"}, stop.get_token());
  const auto running = std::chrono::steady_clock::now() + kPatience + std::chrono::milliseconds(200);
  const Wanted all = [](const FrameStamp&) { return true; };
  while (std::chrono::steady_clock::now() < running) REQUIRE(source->next(all).has_value());
  stop.request_stop();
  CHECK_THROWS_WITH_AS(
      [&] {
        while (source->next(all)) {
        }
      }(),
      "said good-bye", SourceError);
  CHECK(readers_left_behind() == 0);
}
