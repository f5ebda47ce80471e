#include "ingest/apart.h"

#include <doctest/doctest.h>

#include <condition_variable>
#include <mutex>
#include <string>

#include "feed_log.h"
#include "ingest/feed.h"

using namespace palisade;

namespace {

// Where a stuck library is stuck, and what lets it go on.
enum class Stuck { kNowhere, kOpening, kReading, kClosing };

class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  // As a library that nothing interrupts.
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
  // open_apart() of the same address waits for the one that was left.
  const auto gate = std::make_shared<Gate>();
  open_apart(opens(Stuck::kNowhere, gate), {.url = "stuck:"}, {});
  REQUIRE(readers_left_behind() == 0);
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
    CHECK(left_behind("stuck:"));
    const std::size_t reports = log.reports().size(), clips = log.clips().size();
    gate->open();
    await_return();
    CHECK(log.reports().size() == reports);
    CHECK(log.clips().size() == clips);
  }
}

TEST_CASE("an address whose reader is stuck is not opened a second time, so threads do not pile up") {
  const auto gate = std::make_shared<Gate>();
  std::stop_source stop;
  auto source = open_apart(opens(Stuck::kReading, gate), {.url = "stuck:"}, stop.get_token());
  CHECK(source->next(kAll).has_value());
  stop.request_stop();
  CHECK_THROWS_WITH_AS(source->next(kAll), doctest::Contains("left behind"), SourceError);
  source.reset();
  for (int i = 0; i < 3; ++i) {
    CHECK_THROWS_WITH_AS(open_apart(opens(Stuck::kReading, gate),
                                    {.url = "stuck:", .open_timeout = std::chrono::milliseconds(1)}, {}),
                         doctest::Contains("has not come back yet"), SourceError);
  }
  CHECK(readers_left_behind() == 1);
  gate->open();
  await_return();
}
