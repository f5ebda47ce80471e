// Clips of a recording do not depend on how fast or how often it is read.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "ingest/feed.h"
#include "tests/ingest/feed_log.h"
#include "tests/ingest/test_files.h"

namespace palisade {
namespace {

using std::chrono::milliseconds;
using test::FeedLog;
using test::golden;

FeedLog::Clips clips_of(const char* file, bool pace) {
  FeedOptions options;
  options.stream = "recording";
  options.source.url = golden(file);
  for (const SamplingPolicy policy : {SamplingPolicy::kUniform, SamplingPolicy::kKeyframes}) {
    options.samplings.push_back(
        {.count = 16, .span = milliseconds(1'000), .stride = milliseconds(400), .policy = policy});
  }
  options.samplings.push_back({.count = 2, .span = milliseconds(700), .stride = milliseconds(300)});
  options.samplings.push_back(
      {.count = 4, .stride = milliseconds(500), .policy = SamplingPolicy::kStride, .frame_step = 3});
  options.image_size = 28;
  options.pace = pace;
  FeedLog log;
  Feed feed(options, log.on_clip(), log.on_report());
  REQUIRE(log.wait_for(FeedState::kEnded));
  return log.clips();
}

void check_same(const FeedLog::Clips& some, const FeedLog::Clips& others) {
  REQUIRE(some.size() == others.size());
  for (std::size_t i = 0; i < some.size(); ++i) {
    CHECK(some[i].first == others[i].first);
    const std::vector<Frame>& frames = some[i].second.frames;
    REQUIRE(frames.size() == others[i].second.frames.size());
    for (std::size_t k = 0; k < frames.size(); ++k) {
      const Frame& other = others[i].second.frames[k];
      CHECK(frames[k].stamp.number == other.stamp.number);
      CHECK(frames[k].stamp.pts == other.stamp.pts);
      CHECK(frames[k].stamp.wall == other.stamp.wall);
      CHECK(frames[k].stamp.time_source == other.stamp.time_source);
      CHECK(frames[k].stamp.time_uncertainty == other.stamp.time_uncertainty);
      CHECK(std::ranges::equal(frames[k].image.bytes(), other.image.bytes()));
    }
  }
}

TEST_CASE("a recording's windows are the same at its own speed, as fast as possible, and once more") {
  for (const char* file : {"clips/street.mp4", "clips/vp9.webm"}) {
    CAPTURE(std::string(file));
    const auto fast = clips_of(file, false);
    CHECK_FALSE(fast.empty());
    check_same(fast, clips_of(file, false));
    check_same(fast, clips_of(file, true));
  }
}

}  // namespace
}  // namespace palisade
