// Decoding on a graphics processor if there is none.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "ingest/feed.h"
#include "ingest/open_source.h"
#include "tests/ingest/feed_log.h"
#include "tests/ingest/read_source.h"
#include "tests/ingest/rtsp_camera.h"
#include "tests/ingest/test_files.h"

namespace palisade {
namespace {

using std::chrono::milliseconds;

// Makes hardware decoding unavailable on every machine, by the name of a driver that does not exist.
struct NoDriver {
  NoDriver() { ::setenv("LIBVA_DRIVER_NAME", "palisade-none", 1); }
  ~NoDriver() { ::unsetenv("LIBVA_DRIVER_NAME"); }
};

TEST_CASE("without a graphics processor the pictures are those of software, and one report says so") {
  const NoDriver none;
  test::FeedLog::Clips clips[2];
  for (const Hardware hardware : {Hardware::kNone, Hardware::kAuto}) {
    FeedOptions options;
    options.stream = "recording";
    options.source = {.url = test::golden("clips/street.mp4"), .hardware = hardware};
    options.samplings = {{.count = 1, .span = milliseconds(0), .stride = milliseconds(100)}};
    options.image_size = 28;
    test::FeedLog log;
    Feed feed(options, log.on_clip(), log.on_report());
    REQUIRE(log.wait_for(FeedState::kEnded));
    int told = 0;
    for (const FeedReport& report : log.reports()) {
      if (report.reason.empty()) continue;
      ++told;
      CHECK(report.state == FeedState::kOnline);
      CHECK(report.reason.find("decoded in software") != std::string::npos);
    }
    CHECK(told == (hardware == Hardware::kAuto ? 1 : 0));
    clips[int(hardware)] = log.clips();
  }
  REQUIRE(clips[0].size() == 30);
  REQUIRE(clips[1].size() == 30);
  for (std::size_t i = 0; i < 30; ++i) {
    CHECK(std::ranges::equal(clips[0][i].second.frames[0].image.bytes(),
                             clips[1][i].second.frames[0].image.bytes()));
  }
}

TEST_CASE("gstreamer: without a graphics processor a camera is decoded in software, and says so") {
  const NoDriver none;
  const test::RtspCamera camera;
  for (const Hardware hardware : {Hardware::kNone, Hardware::kAuto}) {
    const auto source =
        open_source({.url = camera.url(), .reader = RtspReader::kGstreamer, .hardware = hardware}, {});
    CHECK(source->next(test::all).has_value());
    CHECK(source->remark().empty() == (hardware == Hardware::kNone));
  }
}

}  // namespace
}  // namespace palisade
