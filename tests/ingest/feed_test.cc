#include "ingest/feed.h"

#include <doctest/doctest.h>

#include <atomic>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "ingest/retry.h"
#include "tests/ingest/feed_log.h"
#include "tests/ingest/test_files.h"

namespace palisade {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using test::FeedLog;

// One connection to a scripted source: so many frames, then the end or a fault.
struct Script {
  int frames = 0;
  bool live = true;
  std::optional<SourceFault> open_fault;
  std::optional<SourceFault> fault;  // after the frames; without one they end
  bool hangs = false;                // after the frames, until the stop
  milliseconds interval{100};
  int corrupt = -1;                       // number of a damaged frame
  int wide_from = -1;                     // number from which the picture is larger
  int back_at = -1;                       // number at which pts start again from 0
  std::optional<milliseconds> clock_off;  // of the sender's clock; its frames then come in real time
};

class ScriptedSource : public Source {
 public:
  ScriptedSource(Script script, std::stop_token stop, std::vector<std::uint64_t>* offered)
      : script_(script), stop_(std::move(stop)), offered_(offered) {}

  std::optional<Frame> next(const Wanted& wanted) override {
    while (number_ < script_.frames) {
      if (stop_.stop_requested()) throw SourceError(SourceFault::kInterrupted, "stopped");
      FrameStamp stamp;
      const int since =
          script_.back_at >= 0 && number_ >= script_.back_at ? number_ - script_.back_at : number_;
      stamp.number = std::uint64_t(number_);
      stamp.pts = script_.interval * since;
      stamp.corrupt = number_ == script_.corrupt;
      const int side = script_.wide_from >= 0 && number_ >= script_.wide_from ? 12 : 8;
      ++number_;
      if (script_.clock_off) std::this_thread::sleep_for(milliseconds(1));
      if (offered_ != nullptr) offered_->push_back(stamp.number);
      if (!wanted(stamp)) continue;
      std::vector<std::uint8_t> rgb(std::size_t(side) * 6 * 3, std::uint8_t(stamp.number));
      return Frame{stamp, "", side, 6, Image(side, 6, std::move(rgb))};
    }
    while (script_.hangs && !stop_.stop_requested()) std::this_thread::sleep_for(milliseconds(1));
    if (stop_.stop_requested()) throw SourceError(SourceFault::kInterrupted, "stopped");
    if (script_.fault) throw SourceError(*script_.fault, "rtsp://me:hunter2@cam/live: hunter2 is gone");
    return std::nullopt;
  }
  bool live() const override { return script_.live; }
  std::optional<milliseconds> clock_error() const override { return script_.clock_off; }

 private:
  Script script_;
  std::stop_token stop_;
  std::vector<std::uint64_t>* offered_;
  int number_ = 0;
};

// Opens the connections of a list one after the other, and then the last one repeatedly.
struct Opener {
  std::deque<Script> scripts;
  std::vector<std::uint64_t>* offered = nullptr;
  std::shared_ptr<std::atomic<int>> opened = std::make_shared<std::atomic<int>>(0);

  std::unique_ptr<Source> operator()(const SourceOptions&, std::stop_token stop) {
    ++*opened;
    const Script script = scripts.front();
    if (scripts.size() > 1) scripts.pop_front();
    if (script.open_fault) throw SourceError(*script.open_fault, "rtsp://me:hunter2@cam/live: no");
    return std::make_unique<ScriptedSource>(script, stop, offered);
  }
};

FeedOptions camera(std::vector<Sampling> samplings = {
                       {.count = 2, .span = milliseconds(200), .stride = milliseconds(1000)}}) {
  FeedOptions options;
  options.stream = "door";
  options.source.url = "rtsp://cam/live";
  options.source.password = "hunter2";
  options.samplings = std::move(samplings);
  options.image_size = 4;
  options.retry = {.first = milliseconds(1),
                   .longest = milliseconds(4),
                   .stable = milliseconds(60'000),
                   .after_auth_failure = milliseconds(5)};
  return options;
}

FeedOptions file(std::vector<Sampling> samplings = camera().samplings) {
  FeedOptions options = camera(std::move(samplings));
  options.source.url = "clip.mp4";
  return options;
}

using States = std::vector<FeedState>;

TEST_CASE("feed: a file is connected, online with its first frame, and ends with its last") {
  FeedLog log;
  Feed feed(file(), log.on_clip(), log.on_report(), Opener{{{.frames = 13, .live = false}}});
  REQUIRE(log.wait_for(FeedState::kEnded));
  CHECK(log.states() == States{FeedState::kConnecting, FeedState::kOnline, FeedState::kEnded});
  CHECK(log.reports()[1].width == 8);
  CHECK(log.reports()[1].height == 6);
  CHECK(feed.frames_seen() == 13);
  const auto clips = log.clips();
  REQUIRE(clips.size() == 2);
  const Clip& clip = clips[1].second;
  REQUIRE(clip.frames.size() == 2);
  CHECK(clip.frames[0].stamp.number == 10);
  CHECK(clip.frames[0].stream == "door");
  CHECK(clip.frames[0].source_width == 8);
  CHECK(clip.frames[0].image.width() == 4);
  CHECK(clip.frames[0].image.height() == 4);
}

TEST_CASE("feed: several samplings share one resized picture and every stamp is seen once") {
  FeedLog log;
  std::vector<std::uint64_t> offered;
  const Sampling still{.count = 1, .span = milliseconds(0), .stride = milliseconds(500)};
  const Sampling pair{.count = 2, .span = milliseconds(500), .stride = milliseconds(500)};
  {
    Feed feed(file({still, pair}), log.on_clip(), log.on_report(),
              Opener{{{.frames = 11, .live = false}}, &offered});
    REQUIRE(log.wait_for(FeedState::kEnded));
  }
  CHECK(offered == std::vector<std::uint64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  const auto clips = log.clips();
  REQUIRE(clips.size() == 5);  // stills at 0, 0.5 and 1 s, pairs from 0 and 0.5 s
  CHECK(clips[0].first == 0);
  CHECK(clips[2].first == 1);
  CHECK(clips[0].second.frames[0].image.identity() == clips[2].second.frames[0].image.identity());
}

TEST_CASE("feed: a file too short for a clip gives one, tiled from what there was") {
  FeedLog log;
  const Sampling video{.count = 16, .span = milliseconds(4000), .stride = milliseconds(4000)};
  Feed feed(file({video}), log.on_clip(), log.on_report(), Opener{{{.frames = 3, .live = false}}});
  REQUIRE(log.wait_for(FeedState::kEnded));
  REQUIRE(log.clips().size() == 1);
  CHECK(log.clips()[0].second.frames.size() == 16);
}

TEST_CASE("feed: a camera's end is a loss, mended by opening it again") {
  FeedLog log;
  Feed feed(camera(), log.on_clip(), log.on_report(), Opener{{{.frames = 5}, {.frames = 5, .hangs = true}}});
  REQUIRE(log.wait_for(FeedState::kOnline, 2));
  CHECK(log.states() ==
        States{FeedState::kConnecting, FeedState::kOnline, FeedState::kReconnecting, FeedState::kOnline});
  const FeedReport lost = log.reports()[2];
  CHECK(lost.reason == "the camera ended the stream");
  CHECK(lost.attempt == 2);
  CHECK_FALSE(feed.ended());
}

TEST_CASE("feed: a stall is reported, then the attempt to reconnect") {
  FeedLog log;
  Feed feed(camera(), log.on_clip(), log.on_report(),
            Opener{{{.frames = 5, .fault = SourceFault::kStalled}, {.frames = 1, .hangs = true}}});
  REQUIRE(log.wait_for(FeedState::kOnline, 2));
  CHECK(log.states() == States{FeedState::kConnecting, FeedState::kOnline, FeedState::kStalled,
                               FeedState::kReconnecting, FeedState::kOnline});
}

TEST_CASE("feed: an open clip does not span two connections") {
  FeedLog log;
  const Sampling pair{.count = 2, .span = milliseconds(1000), .stride = milliseconds(1000)};
  Feed feed(camera({pair}), log.on_clip(), log.on_report(),
            Opener{{{.frames = 5}, {.frames = 11, .hangs = true}}});
  REQUIRE(log.wait_for_clips(1));
  const Clip clip = log.clips()[0].second;
  CHECK(clip.frames[0].stamp.number == 0);
  CHECK(clip.frames[1].stamp.number == 10);
}

TEST_CASE("feed: attempts to reach an absent camera are counted, and none is the last") {
  FeedLog log;
  const Opener opener{{{.open_fault = SourceFault::kUnreachable}}};
  const auto opened = opener.opened;
  Feed feed(camera(), log.on_clip(), log.on_report(), opener);
  REQUIRE(log.wait_for(FeedState::kReconnecting, 6));
  const auto reports = log.reports();
  for (int i = 1; i <= 6; ++i) CHECK(reports[std::size_t(i)].attempt == i + 1);
  CHECK(*opened >= 6);
  CHECK(log.count(FeedState::kOnline) == 0);
}

TEST_CASE("feed: a wrong password and an unreadable stream have states of their own") {
  FeedLog log;
  Feed feed(camera(), log.on_clip(), log.on_report(),
            Opener{{{.open_fault = SourceFault::kAuthFailed},
                    {.open_fault = SourceFault::kUnreadable},
                    {.frames = 1, .hangs = true}}});
  REQUIRE(log.wait_for(FeedState::kOnline));
  CHECK(log.states() ==
        States{FeedState::kConnecting, FeedState::kAuthFailed, FeedState::kUnreadable, FeedState::kOnline});
  CHECK(log.reports()[1].next_try_in >= milliseconds(4));
}

TEST_CASE("feed: no report shows a password") {
  FeedLog log;
  Feed feed(
      camera(), log.on_clip(), log.on_report(),
      Opener{{{.open_fault = SourceFault::kUnreachable}, {.frames = 1, .fault = SourceFault::kStalled}}});
  REQUIRE(log.wait_for(FeedState::kStalled));
  for (const FeedReport& report : log.reports()) CHECK(report.reason.find("hunter2") == std::string::npos);
}

TEST_CASE("feed: an unreadable file ends, and so does a refused address") {
  for (const auto& [options, fault] :
       {std::pair(file(), SourceFault::kUnreadable), std::pair(camera(), SourceFault::kRefused)}) {
    FeedLog log;
    const Opener opener{{{.open_fault = fault}}};
    const auto opened = opener.opened;
    Feed feed(options, log.on_clip(), log.on_report(), opener);
    REQUIRE(log.wait_for(FeedState::kEnded));
    CHECK(log.states() == States{FeedState::kConnecting, FeedState::kUnreadable, FeedState::kEnded});
    CHECK(log.reports()[1].reason != "");
    CHECK(*opened == 1);
  }
}

TEST_CASE("feed: a camera that was online and is then refused is tried again at the longest pause") {
  FeedLog log;
  FeedOptions options = camera();
  options.retry.longest = milliseconds(20);
  Feed feed(options, log.on_clip(), log.on_report(),
            Opener{{{.frames = 5, .fault = SourceFault::kRefused},
                    {.open_fault = SourceFault::kRefused},
                    {.frames = 1, .hangs = true}}});
  REQUIRE(log.wait_for(FeedState::kOnline, 2));
  CHECK(log.states() == States{FeedState::kConnecting, FeedState::kOnline, FeedState::kUnreadable,
                               FeedState::kUnreadable, FeedState::kOnline});
  for (std::size_t i = 2; i < 4; ++i) {
    CHECK(log.reports()[i].reason != "");
    CHECK(log.reports()[i].next_try_in >= milliseconds(16));
  }
}

TEST_CASE("feed: a looped file begins again at its end") {
  FeedLog log;
  FeedOptions options = file();
  options.loop = true;
  Feed feed(options, log.on_clip(), log.on_report(), Opener{{{.frames = 12, .live = false}}});
  REQUIRE(log.wait_for_clips(6));
  CHECK(log.count(FeedState::kEnded) == 0);
  CHECK_FALSE(feed.ended());
}

TEST_CASE("feed: a looped film is one without an end: online once, times go on, no faster than real time") {
  for (const bool pace : {false, true}) {
    CAPTURE(pace);
    FeedLog log;
    FeedOptions options = file({{.count = 1, .span = milliseconds(0), .stride = milliseconds(1'500)}});
    options.loop = true;
    options.pace = pace;
    const Opener opener{{{.frames = 1, .live = false}}};
    const auto opened = opener.opened;
    const auto start = steady_clock::now();
    Feed feed(options, log.on_clip(), log.on_report(), opener);
    REQUIRE(log.wait_for_clips(3));
    CHECK(steady_clock::now() - start >= milliseconds(2'900));
    CHECK(*opened <= 5);
    CHECK(log.states() == States{FeedState::kConnecting, FeedState::kOnline});
    const auto clips = log.clips();
    for (std::size_t i = 1; i < 3; ++i) {
      const FrameStamp& before = clips[i - 1].second.frames[0].stamp;
      const FrameStamp& after = clips[i].second.frames[0].stamp;
      CHECK(after.pts - before.pts >= milliseconds(1'000));
      CHECK(after.number > before.number);
    }
  }
}

TEST_CASE("feed: windows that a lost connection breaks are counted in the next clip") {
  FeedLog log;
  const Sampling pair{.count = 2, .span = milliseconds(1000), .stride = milliseconds(1000)};
  Feed feed(camera({pair}), log.on_clip(), log.on_report(),
            Opener{{{.frames = 5}, {.frames = 7}, {.frames = 21, .hangs = true}}});
  REQUIRE(log.wait_for_clips(2));
  CHECK(log.clips()[0].second.lost_before == 2);
  CHECK(log.clips()[1].second.lost_before == 0);
}

TEST_CASE("feed: a camera's clock that is far off is told, and again when it is right") {
  FeedLog log;
  Feed feed(camera(), log.on_clip(), log.on_report(),
            Opener{{{.frames = 10'000, .hangs = true, .clock_off = milliseconds(7'200'000)}}});
  REQUIRE(log.wait_for(FeedState::kOnline, 2));
  CHECK(log.reports()[2].reason.find("2 h ahead of this machine's") != std::string::npos);
}

TEST_CASE("feed: a damaged frame is sampled by nobody") {
  FeedLog log;
  const Sampling still{.count = 1, .span = milliseconds(0), .stride = milliseconds(100)};
  Feed feed(file({still}), log.on_clip(), log.on_report(),
            Opener{{{.frames = 6, .live = false, .corrupt = 3}}});
  REQUIRE(log.wait_for(FeedState::kEnded));
  std::vector<std::uint64_t> numbers;
  for (const auto& [sampling, clip] : log.clips()) numbers.push_back(clip.frames[0].stamp.number);
  CHECK(numbers == std::vector<std::uint64_t>{0, 1, 2, 4, 5});
}

TEST_CASE("feed: a picture size that changes is told once") {
  FeedLog log;
  const Sampling still{.count = 1, .span = milliseconds(0), .stride = milliseconds(100)};
  Feed feed(file({still}), log.on_clip(), log.on_report(),
            Opener{{{.frames = 8, .live = false, .wide_from = 4}}});
  REQUIRE(log.wait_for(FeedState::kEnded));
  CHECK(log.states() ==
        States{FeedState::kConnecting, FeedState::kOnline, FeedState::kOnline, FeedState::kEnded});
  CHECK(log.reports()[2].width == 12);
}

TEST_CASE("feed: a paced file takes its own time, also where its timestamps jump back") {
  FeedLog log;
  FeedOptions options = file();
  options.pace = true;
  const auto start = steady_clock::now();
  Feed feed(options, log.on_clip(), log.on_report(),
            Opener{{{.frames = 10, .live = false, .interval = milliseconds(20), .back_at = 5}}});
  REQUIRE(log.wait_for(FeedState::kEnded));
  CHECK(steady_clock::now() - start >= milliseconds(160));
}

TEST_CASE("feed: a stop ends a pause between attempts, a paced wait and a frozen camera at once") {
  FeedOptions waiting = camera();
  waiting.retry.first = waiting.retry.longest = milliseconds(600'000);
  FeedOptions paced = file();
  paced.pace = true;
  const std::pair<FeedOptions, Script> cases[] = {
      {waiting, {.open_fault = SourceFault::kUnreachable}},
      {paced, {.frames = 100, .live = false, .interval = milliseconds(9'000)}},
      {camera(), {.frames = 1, .hangs = true}}};
  for (const auto& [options, script] : cases) {
    FeedLog log;
    steady_clock::time_point start;
    {
      Feed feed(options, log.on_clip(), log.on_report(), Opener{{script}});
      REQUIRE(log.wait_for(script.open_fault ? FeedState::kReconnecting : FeedState::kOnline));
      start = steady_clock::now();
    }
    CHECK(steady_clock::now() - start < std::chrono::seconds(2));
    CHECK(log.states().back() == FeedState::kRemoved);
  }
}

TEST_CASE("feed: pauses grow to the longest, are spread, and start anew after a stable connection") {
  Retry retry({.first = milliseconds(1'000), .longest = milliseconds(60'000)});
  milliseconds expected(1'000);
  for (int i = 1; i <= 12; ++i) {
    retry.count(milliseconds(3'000));
    const milliseconds pause = retry.pause(SourceFault::kUnreachable, milliseconds(0));
    CAPTURE(i);
    CHECK(retry.attempt() == i + 1);
    CHECK(pause >= expected * 8 / 10);
    CHECK(pause <= expected * 12 / 10);
    expected = std::min(expected * 2, milliseconds(60'000));
  }
  // An attempt that takes long itself.
  CHECK(retry.pause(SourceFault::kUnreachable, milliseconds(50'000)) <= milliseconds(12'000));
  CHECK(retry.pause(SourceFault::kUnreachable, milliseconds(70'000)) <= milliseconds(1'200));
  CHECK(retry.pause(SourceFault::kUnreachable, milliseconds(70'000)) >= milliseconds(800));
  CHECK(retry.pause(SourceFault::kAuthFailed, milliseconds(10'000)) >= milliseconds(48'000));
  retry.count(milliseconds(30'000));
  CHECK(retry.attempt() == 2);
  CHECK(retry.pause(SourceFault::kUnreachable, milliseconds(0)) <= milliseconds(1'200));
  CHECK(retry.pause(SourceFault::kUnreadable, milliseconds(10'000)) >= milliseconds(48'000));
}

TEST_CASE("a feed of a real clip gives clips of the model's size") {
  FeedLog log;
  FeedOptions options = file({{.count = 16, .span = milliseconds(2'000), .stride = milliseconds(2'000)}});
  options.source.url = test::golden("clips/street.mp4");
  options.image_size = 56;
  Feed feed(options, log.on_clip(), log.on_report());
  REQUIRE(log.wait_for(FeedState::kEnded));
  CHECK(feed.ended());
  REQUIRE(log.clips().size() == 1);
  CHECK(log.clips()[0].second.frames.size() == 16);
  CHECK(log.clips()[0].second.frames[15].image.width() == 56);
}

}  // namespace
}  // namespace palisade
