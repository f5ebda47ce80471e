// The sampling policy "keyframes" of frames/sampler.h.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "frames/sampler.h"

using namespace palisade;
using namespace std::chrono_literals;

namespace {

using Milliseconds = std::vector<int>;

// The pts in milliseconds of every clip of a 25 Hz stream with keyframes at these times.
std::vector<Milliseconds> clips_of(const Sampling& sampling, const Milliseconds& keyframes,
                                   bool others = true) {
  Sampler sampler(sampling);
  std::vector<Milliseconds> clips;
  std::uint64_t number = 0;
  for (int at = 0; at <= keyframes.back(); at += 10) {
    const bool keyframe = std::ranges::find(keyframes, at) != keyframes.end();
    if (!keyframe && (!others || at % 40 != 0)) continue;
    const FrameStamp stamp{.number = number++, .pts = at * 1ms, .keyframe = keyframe};
    if (!sampler.wants(stamp)) continue;
    CHECK(keyframe);
    for (const Clip& clip :
         sampler.offer({.stamp = stamp, .image = Image(1, 1, std::vector<std::uint8_t>{0, 0, 0})})) {
      clips.emplace_back();
      for (const Frame& frame : clip.frames) clips.back().push_back(int(frame.stamp.pts / 1ms));
    }
  }
  CHECK(sampler.discarded() == 0);
  return clips;
}

Milliseconds every(int interval, int until) {
  Milliseconds all;
  for (int at = 0; at <= until; at += interval) all.push_back(at);
  return all;
}

const Sampling kQuad{.count = 5, .span = 4s, .stride = 4s, .policy = SamplingPolicy::kKeyframes};

}  // namespace

TEST_CASE("keyframes takes the keyframes nearest to the targets of the span") {
  CHECK(clips_of(kQuad, every(500, 8'000)) ==
        std::vector<Milliseconds>{{0, 1000, 2000, 3000, 4000}, {4000, 5000, 6000, 7000, 8000}});
  CHECK(clips_of(kQuad, every(600, 4'200)) == std::vector<Milliseconds>{{0, 1200, 1800, 3000, 4200}});
}

TEST_CASE("keyframes further apart than the targets stand for several, each for those it is nearest to") {
  CHECK(clips_of({.count = 9, .span = 4s, .stride = 4s, .policy = SamplingPolicy::kKeyframes},
                 {0, 2000, 4000}) ==
        std::vector<Milliseconds>{{0, 0, 2000, 2000, 2000, 2000, 2000, 4000, 4000}});
}

TEST_CASE("keyframes where the scene changes, and none for long, tear no window") {
  const auto clips = clips_of({.count = 2, .span = 20s, .stride = 20s, .policy = SamplingPolicy::kKeyframes},
                              {0, 40, 80, 10'080, 20'080, 20'120, 45'000});
  REQUIRE(clips.size() == 2);
  CHECK(clips[0] == Milliseconds{0, 20'080});
  CHECK(clips[1].front() == 20'080);
}

TEST_CASE("the windows of keyframes are the same where nothing else is decoded") {
  for (const Milliseconds& keyframes :
       {every(1000, 20'000), every(120, 12'000), Milliseconds{0, 1500, 1600, 9000}}) {
    CHECK(clips_of(kQuad, keyframes, true) == clips_of(kQuad, keyframes, false));
  }
}

TEST_CASE("a stream of keyframes alone is sampled as uniform samples it") {
  Sampling uniform = kQuad;
  uniform.policy = SamplingPolicy::kUniform;
  CHECK(clips_of(kQuad, every(40, 12'000), false) == clips_of(uniform, every(40, 12'000), false));
}

TEST_CASE("keyframes hold no more memory than uniform") {
  Sampler sampler({.count = 16, .span = 4s, .stride = 1s, .policy = SamplingPolicy::kKeyframes});
  std::size_t most = 0;
  for (int i = 0; i < 5'000; ++i) {
    const FrameStamp stamp{.number = std::uint64_t(i), .pts = i * 4ms, .keyframe = true};
    if (sampler.wants(stamp)) {
      sampler.offer({.stamp = stamp, .image = Image(1, 1, std::vector<std::uint8_t>{0, 0, 0})});
    }
    most = std::max(most, sampler.frames_held());
  }
  CHECK(most <= 5 * 16);
}
