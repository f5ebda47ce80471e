// Cameras that freeze, die, are absent, ask for a password or flap: of the fault list.
#include <doctest/doctest.h>

#include "base/format.h"
#include "tests/fault/watched.h"
#include "tests/ingest/rtsp_camera.h"

namespace palisade {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using test::impatient;
using test::kReaders;
using test::RtspCamera;
using test::watch_with_both;
using test::WatchedFeed;
using test::WatchedFeeds;

constexpr milliseconds kKeyframeInterval{1'000};  // of /live
constexpr milliseconds kScheduling{1'000};        // a machine that does other things as well

MonotonicTime time_of(WatchedFeed& watched, FeedState state, int times) {
  REQUIRE_MESSAGE(watched.log.wait_for(state, times), watched.options.stream, " is not ", name_of(state));
  return steady_clock::now();
}

TEST_CASE(
    "R-01, R-02 a camera that freezes is reported within its stall time plus a second, and comes back") {
  const RtspCamera camera;
  WatchedFeeds all = watch_with_both(camera.url());
  for (const RtspReader reader : kReaders) {
    all.push_back(std::make_unique<WatchedFeed>(impatient(camera.url(), reader, RtspTransport::kUdp)));
  }
  for (auto& watched : all) time_of(*watched, FeedState::kOnline, 1);
  camera.freeze();
  const auto frozen = steady_clock::now();
  for (auto& watched : all) {
    CAPTURE(watched->options.stream);
    CHECK(time_of(*watched, FeedState::kStalled, 1) - frozen <=
          watched->options.source.stall_timeout + seconds(1));
    CHECK(watched->log.wait_for(FeedState::kReconnecting));
  }
  camera.thaw();
  const auto thawed = steady_clock::now();
  for (auto& watched : all) {
    CAPTURE(watched->options.stream);
    const auto pause = std::chrono::floor<milliseconds>(watched->options.retry.longest * 1.2);
    CHECK(time_of(*watched, FeedState::kOnline, 2) - thawed <= pause + kKeyframeInterval + kScheduling);
    CHECK_FALSE(watched->feed->ended());
  }
  camera.freeze();
  const auto stopping = steady_clock::now();
  all.clear();
  CHECK(steady_clock::now() - stopping < seconds(4));  // four of them, one after the other
}

TEST_CASE("R-03 a camera that dies is a loss, never the end, and is online again once it is back") {
  RtspCamera camera;
  WatchedFeeds all = watch_with_both(camera.url());
  for (auto& watched : all) time_of(*watched, FeedState::kOnline, 1);
  camera.kill();
  for (auto& watched : all) time_of(*watched, FeedState::kReconnecting, 2);
  const RtspCamera again(camera.port());
  for (auto& watched : all) {
    CAPTURE(watched->options.stream);
    time_of(*watched, FeedState::kOnline, 2);
    CHECK(watched->log.count(FeedState::kEnded) == 0);
    CHECK(watched->log.count(FeedState::kUnreadable) == 0);
    CHECK_FALSE(watched->feed->ended());
  }
}

TEST_CASE("R-04 a camera that is absent or whose name is unknown is tried again, with growing pauses") {
  int port = 0;
  { port = RtspCamera().port(); }  // nobody listens there any more
  for (const std::string& url :
       {format("rtsp://127.0.0.1:{}/live", port), std::string("rtsp://no-such-camera.invalid/live")}) {
    WatchedFeeds all = watch_with_both(url);
    for (auto& watched : all) {
      CAPTURE(url);
      CAPTURE(watched->options.stream);
      time_of(*watched, FeedState::kReconnecting, 3);
      const auto reports = watched->log.reports();
      CHECK(reports[0].state == FeedState::kConnecting);
      const milliseconds first = watched->options.retry.first;
      for (int i = 1; i <= 3; ++i) {
        // A pause counts from the beginning of an attempt, so the attempt's own time is part of it.
        const FeedReport& last = reports[std::size_t(i) - 1];
        const auto tried =
            std::chrono::ceil<milliseconds>(reports[std::size_t(i)].since - last.since) - last.next_try_in;
        const milliseconds least = std::max(first, first * (1 << (i - 1)) - tried) * 4 / 5;
        CHECK(reports[std::size_t(i)].state == FeedState::kReconnecting);
        CHECK(reports[std::size_t(i)].attempt == i + 1);
        CHECK(reports[std::size_t(i)].next_try_in >= least);
        CHECK_FALSE(reports[std::size_t(i)].reason.empty());
      }
    }
  }
}

TEST_CASE("R-05 a wrong password is told once and not tried again soon; the right one is let in") {
  const RtspCamera camera(0, {"admin", "p@:/#%[]!s w", "digest"});
  WatchedFeeds wrong = watch_with_both(camera.url());  // none at all
  for (const RtspReader reader : kReaders) {
    FeedOptions options = impatient(camera.url(), reader);
    options.source.username = "admin";
    options.source.password = "hunter2";
    wrong.push_back(std::make_unique<WatchedFeed>(options));
  }
  WatchedFeeds right;
  for (const RtspReader reader : kReaders) {
    FeedOptions options = impatient(camera.url(), reader);
    options.source.username = "admin";
    options.source.password = "p@:/#%[]!s w";
    right.push_back(std::make_unique<WatchedFeed>(options));
  }
  for (auto& watched : right) time_of(*watched, FeedState::kOnline, 1);
  for (auto& watched : wrong) {
    CAPTURE(watched->options.stream);
    time_of(*watched, FeedState::kAuthFailed, 1);
    const auto reports = watched->log.reports();
    CAPTURE(reports.back().reason);
    CAPTURE(reports[1].reason);
    REQUIRE(reports.size() == 2);
    CHECK(reports[1].next_try_in >= seconds(48));
    CHECK(reports[1].reason.find("password") != std::string::npos);
    CHECK(reports[1].reason.find("hunter2") == std::string::npos);
  }
}

TEST_CASE("R-05 a password that is set while a camera runs is told as what it is") {
  RtspCamera camera;
  WatchedFeeds all = watch_with_both(camera.url());
  for (auto& watched : all) time_of(*watched, FeedState::kOnline, 1);
  camera.tell("password admin secret");
  for (auto& watched : all) time_of(*watched, FeedState::kAuthFailed, 1);
}

TEST_CASE("R-06 a flapping camera is told once a change, and its pauses grow until it is stable") {
  auto camera = std::make_unique<RtspCamera>();
  const int port = camera->port();
  WatchedFeeds all = watch_with_both(camera->url());
  for (int round = 1; round <= 4; ++round) {
    for (auto& watched : all) time_of(*watched, FeedState::kOnline, round);
    camera.reset();
    for (auto& watched : all) time_of(*watched, FeedState::kReconnecting, round);
    camera = std::make_unique<RtspCamera>(port);
  }
  for (auto& watched : all) {
    CAPTURE(watched->options.stream);
    const auto reports = watched->log.reports();
    int attempt = 1;
    for (std::size_t i = 1; i < reports.size(); ++i) {
      const bool both_online =
          reports[i].state == FeedState::kOnline && reports[i - 1].state == FeedState::kOnline;
      CHECK_FALSE(both_online);
      if (reports[i].state != FeedState::kReconnecting) continue;
      CHECK(reports[i].attempt == ++attempt);  // three seconds online are not stable
    }
  }
}

TEST_CASE("R-20 one frozen, dying, flapping camera among four changes the frames of the others by nothing") {
  for (const RtspReader reader : kReaders) {
    CAPTURE(test::name_of(reader));
    std::array<RtspCamera, 3> cameras;
    auto bad = std::make_unique<RtspCamera>();
    const int bad_port = bad->port();
    WatchedFeeds good;
    for (const RtspCamera& camera : cameras) {
      FeedOptions options = impatient(camera.url(), reader);
      // Each clip has one frame.
      options.samplings = {{.count = 1,
                            .span = milliseconds(0),
                            .stride = milliseconds(1),
                            .policy = SamplingPolicy::kStride}};
      options.source.stall_timeout = seconds(10);
      good.push_back(std::make_unique<WatchedFeed>(options));
    }
    WatchedFeed dead(impatient(bad->url(), reader));
    for (auto& watched : good) time_of(*watched, FeedState::kOnline, 1);
    for (int round = 1; round <= 2; ++round) {
      time_of(dead, FeedState::kOnline, 2 * round - 1);
      bad->freeze();
      time_of(dead, FeedState::kStalled, round);
      bad->thaw();
      time_of(dead, FeedState::kOnline, 2 * round);
      bad.reset();
      bad = std::make_unique<RtspCamera>(bad_port);
    }
    for (auto& watched : good) {
      watched->feed->request_stop();
      time_of(*watched, FeedState::kRemoved, 1);
      const auto clips = watched->log.clips();
      REQUIRE(clips.size() > 30);
      for (std::size_t i = 1; i < clips.size(); ++i) {
        const FrameStamp& before = clips[i - 1].second.frames[0].stamp;
        const FrameStamp& stamp = clips[i].second.frames[0].stamp;
        REQUIRE(stamp.number == before.number + 1);
        CHECK(std::chrono::abs(stamp.pts - before.pts - milliseconds(67)) < milliseconds(30));
      }
      CHECK(watched->log.states().size() == 3);  // connecting, online, removed
    }
  }
}

}  // namespace
}  // namespace palisade
