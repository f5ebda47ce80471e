#include "frames/sampler.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

using namespace palisade;
using namespace std::chrono_literals;

namespace {

FrameStamp stamp_at(std::uint64_t number, MediaTime pts) {
  return {.number = number, .pts = pts};
}

Frame frame_of(const FrameStamp& stamp) {
  return {.stamp = stamp, .image = Image(1, 1, std::vector<std::uint8_t>{0, 0, 0})};
}

std::vector<Clip> offer(Sampler& sampler, std::uint64_t number, MediaTime pts) {
  const FrameStamp stamp = stamp_at(number, pts);
  if (!sampler.wants(stamp)) return {};
  return sampler.offer(frame_of(stamp));
}

std::vector<std::uint64_t> numbers(const Clip& clip) {
  std::vector<std::uint64_t> all;
  for (const Frame& frame : clip.frames) all.push_back(frame.stamp.number);
  return all;
}

// The clips of a stream of `frames` frames at a constant rate.
std::vector<Clip> run(Sampler& sampler, int frames, double rate) {
  std::vector<Clip> clips;
  for (int i = 0; i < frames; ++i) {
    for (Clip& clip : offer(sampler, i, MediaTime(std::int64_t(i * 1e9 / rate))))
      clips.push_back(std::move(clip));
  }
  return clips;
}

}  // namespace

TEST_CASE("uniform takes the frames nearest to start + span * i / 15, in windows that overlap") {
  Sampler sampler({.count = 16, .span = 4s, .stride = 2s});
  const auto clips = run(sampler, 81, 10);
  REQUIRE(clips.size() == 3);
  // The same windows as in the demo world's samples at 10 pictures a second.
  CHECK(numbers(clips[0]) ==
        std::vector<std::uint64_t>{0, 3, 5, 8, 11, 13, 16, 19, 21, 24, 27, 29, 32, 35, 37, 40});
  CHECK(numbers(clips[1]) ==
        std::vector<std::uint64_t>{20, 23, 25, 28, 31, 33, 36, 39, 41, 44, 47, 49, 52, 55, 57, 60});
  CHECK(numbers(clips[2]).back() == 80);
}

TEST_CASE("windows that overlap share their pictures") {
  // Every frame interval is a target, so window k + 1 is window k shifted by one frame.
  Sampler sampler({.count = 16, .span = 1500ms, .stride = 100ms});
  const auto clips = run(sampler, 40, 10);
  REQUIRE(clips.size() == 25);
  for (std::size_t k = 1; k < clips.size(); ++k) {
    for (int i = 0; i < 15; ++i) {
      CHECK(clips[k].frames[i].image.identity() == clips[k - 1].frames[i + 1].image.identity());
    }
  }
}

TEST_CASE("stills come every stride") {
  Sampler sampler({.count = 1, .span = 0s, .stride = 5s});
  const auto clips = run(sampler, 301, 25);
  REQUIRE(clips.size() == 3);
  CHECK(numbers(clips[1]) == std::vector<std::uint64_t>{125});
}

TEST_CASE("a pair is now and before, span apart") {
  Sampler sampler({.count = 2, .span = 10s, .stride = 10s});
  const auto clips = run(sampler, 301, 10);
  REQUIRE(clips.size() == 3);
  CHECK(numbers(clips[0]) == std::vector<std::uint64_t>{0, 100});
  CHECK(numbers(clips[2]) == std::vector<std::uint64_t>{200, 300});
}

TEST_CASE("stride takes every n-th frame from the first one") {
  Sampler sampler({.count = 16, .stride = 60s, .policy = SamplingPolicy::kStride, .frame_step = 9});
  const auto clips = run(sampler, 200, 30);
  REQUIRE(clips.size() == 1);
  for (int i = 0; i < 16; ++i) CHECK(clips[0].frames[i].stamp.number == std::uint64_t(9 * i));
}

TEST_CASE("a stream too short for a clip is tiled cyclically when it ends") {
  Sampler sampler({.count = 16, .stride = 60s, .policy = SamplingPolicy::kStride, .frame_step = 9});
  CHECK(run(sampler, 20, 30).empty());
  const auto clip = sampler.finish();
  REQUIRE(clip);
  CHECK(numbers(*clip) == std::vector<std::uint64_t>{0, 9, 18, 0, 9, 18, 0, 9, 18, 0, 9, 18, 0, 9, 18, 0});
  CHECK_FALSE(sampler.finish());
}

TEST_CASE("the end of a stream that gave clips adds none") {
  Sampler sampler({.count = 2, .span = 1s, .stride = 1s});
  CHECK(run(sampler, 25, 10).size() == 2);
  CHECK_FALSE(sampler.finish());
}

TEST_CASE("memory is bounded at any frame rate and overlap") {
  for (const double rate : {5.0, 25.0, 240.0, 5000.0}) {
    Sampler sampler({.count = 16, .span = 4s, .stride = 1s});
    std::size_t most = 0;
    for (int i = 0; i < int(20 * rate); ++i) {
      offer(sampler, i, MediaTime(std::int64_t(i * 1e9 / rate)));
      most = std::max(most, sampler.frames_held());
    }
    CHECK(most <= 5 * 16);
  }
}

TEST_CASE("a fast camera converts no more pictures than the sampling asks for") {
  Sampler sampler({.count = 16, .span = 4s, .stride = 4s});
  int wanted = 0;
  for (int i = 0; i < 240 * 40; ++i) {
    const FrameStamp stamp = stamp_at(i, MediaTime(i * 1'000'000'000ll / 240));
    if (!sampler.wants(stamp)) continue;
    ++wanted;
    sampler.offer(frame_of(stamp));
  }
  CHECK(wanted <= 10 * 15 + 1);
}

TEST_CASE("a camera slower than the sampling repeats its frames instead of stretching the window") {
  Sampler sampler({.count = 16, .span = 4s, .stride = 4s});
  const auto clips = run(sampler, 9, 2);
  REQUIRE(clips.size() == 2 - 1);
  CHECK(clips[0].frames.back().stamp.pts - clips[0].frames.front().stamp.pts == 4s);
}

TEST_CASE("a time stamp that goes back or jumps ahead drops the open window and starts anew") {
  Sampler sampler({.count = 2, .span = 2s, .stride = 2s});
  SUBCASE("back") {
    offer(sampler, 0, 10s);
    offer(sampler, 1, 10100ms);
    offer(sampler, 2, 0s);
    CHECK(sampler.discarded() == 1);
    CHECK(offer(sampler, 3, 1s).empty());
    const auto clips = offer(sampler, 4, 2s);
    REQUIRE(clips.size() == 1);
    CHECK(numbers(clips[0]) == std::vector<std::uint64_t>{2, 4});
  }
  SUBCASE("ahead") {
    offer(sampler, 0, 0s);
    offer(sampler, 1, 100ms);
    offer(sampler, 2, 10100ms);
    CHECK(sampler.discarded() == 1);
    CHECK(offer(sampler, 3, 11s).empty());
    CHECK(numbers(offer(sampler, 4, 12100ms).at(0)) == std::vector<std::uint64_t>{2, 4});
  }
}

TEST_CASE("a picture every ten seconds is a slow camera, not a row of jumps") {
  Sampler sampler({.count = 2, .span = 10s, .stride = 10s});
  std::size_t clips = 0;
  for (int i = 0; i < 10; ++i) clips += offer(sampler, i, i * 10s).size();
  CHECK(clips == 9);
  CHECK(sampler.discarded() == 0);
}

namespace {

// A stream of 25 frames a second that is interrupted: on for `on` of every `period`. Its clips and how many
// were given up.
std::vector<Clip> run_bursts(Sampler& sampler, std::chrono::milliseconds on, std::chrono::milliseconds period,
                             std::chrono::milliseconds until, bool jumped = false) {
  std::vector<Clip> clips;
  std::uint64_t number = 0;
  for (std::chrono::milliseconds pts(0); pts < until; pts += 40ms) {
    if (pts % period >= on) continue;
    FrameStamp stamp = stamp_at(number++, pts);
    stamp.jumped = jumped && pts > 0ms && pts % period == 0ms;
    const bool wants = sampler.wants(stamp);
    if (auto clip = sampler.take_ended()) clips.push_back(*std::move(clip));
    if (!wants) continue;
    for (Clip& clip : sampler.offer(frame_of(stamp))) clips.push_back(std::move(clip));
  }
  if (auto clip = sampler.finish()) clips.push_back(*std::move(clip));
  return clips;
}

}  // namespace

TEST_CASE("bursts too short for a window give one each, tiled, that shows nothing of another burst") {
  for (const auto& [on, period] :
       {std::pair{3000ms, 13000ms}, {3000ms, 8000ms}, {2000ms, 4000ms}, {1000ms, 30000ms}}) {
    CAPTURE(on.count());
    CAPTURE(period.count());
    Sampler sampler({.count = 16, .span = 4s, .stride = 4s});
    const auto clips = run_bursts(sampler, on, period, 5 * period);
    REQUIRE(clips.size() == 5);
    CHECK(sampler.discarded() == 0);
    for (std::size_t i = 0; i < 5; ++i) {
      CHECK(clips[i].tiled);
      CHECK(clips[i].frames.size() == 16);
      CHECK(clips[i].frames.front().stamp.pts == i * period);
      CHECK(latest(clips[i]).stamp.pts > i * period + on / 2);
      for (const Frame& frame : clips[i].frames)
        CHECK(frame.stamp.pts / period == std::chrono::nanoseconds(i * period) / period);
    }
  }
}

TEST_CASE(
    "what a pause or a jump leaves of windows is given up and counted, where there was a whole one before") {
  for (const bool jumped : {false, true}) {
    CAPTURE(jumped);
    Sampler sampler({.count = 16, .span = 4s, .stride = 4s});
    // A window from 0 to 4 s, and half of the next one.
    const auto clips = run_bursts(sampler, 6s, jumped ? 6s : 16s, 48s, jumped);
    CHECK(clips.size() == (jumped ? 8 : 3));
    CHECK(sampler.discarded() == (jumped ? 7 : 2));
    for (const Clip& clip : clips) {
      CHECK_FALSE(clip.tiled);
      CHECK(latest(clip).stamp.pts - clip.frames.front().stamp.pts <= 4s);
    }
  }
  // A pair of the same picture twice would be useless.
  Sampler pairs({.count = 2, .span = 4s, .stride = 4s});
  CHECK(run_bursts(pairs, 3s, 13s, 39s).size() == 1);  // as at the end of a short film
  CHECK(pairs.discarded() == 2);
}

TEST_CASE("bursts that come sooner than a window is due give one each stride, and the others are counted") {
  Sampler sampler({.count = 16, .span = 8s, .stride = 30s});
  const auto clips = run_bursts(sampler, 3s, 10s, 120s);
  CHECK(clips.size() == 5);  // with that of the end
  CHECK(clips.size() + sampler.discarded() == 12);
}

TEST_CASE("a pause that no frame of a window is missing in does not matter to it") {
  Sampler pairs({.count = 2, .span = 10s, .stride = 10s});
  CHECK(run_bursts(pairs, 6s, 10s, 41s).size() == 4);
  CHECK(pairs.discarded() == 0);
  Sampler stills({.count = 1, .span = 0s, .stride = 2s});
  CHECK(run_bursts(stills, 3s, 13s, 39s).size() == 6);
  Sampler short_one({.count = 16, .span = 4s, .stride = 4s});
  CHECK(run_bursts(short_one, 1200ms, 2s, 8200ms).size() == 2);
  CHECK(short_one.discarded() == 0);
}

TEST_CASE("a damaged frame is never wanted") {
  Sampler sampler({.count = 1, .span = 0s, .stride = 1s});
  FrameStamp damaged = stamp_at(0, 0s);
  damaged.corrupt = true;
  CHECK_FALSE(sampler.wants(damaged));
  CHECK(sampler.wants(stamp_at(1, 40ms)));
}

namespace {

// Like run(), for a stream with motion from `from` to `until`.
std::vector<Clip> run_moving(Sampler& sampler, int frames, double rate, MediaTime from, MediaTime until) {
  std::vector<Clip> clips;
  for (int i = 0; i < frames; ++i) {
    Frame frame = frame_of(stamp_at(i, MediaTime(std::int64_t(i * 1e9 / rate))));
    if (!sampler.wants(frame.stamp)) continue;
    frame.motion = std::chrono::duration<double>(std::clamp(frame.stamp.pts, from, until) - from).count();
    for (Clip& clip : sampler.offer(std::move(frame))) clips.push_back(std::move(clip));
  }
  return clips;
}

constexpr Sampling kByMotion{.count = 16, .span = 4s, .stride = 4s, .policy = SamplingPolicy::kMotion};

}  // namespace

TEST_CASE("motion takes most frames where something moves, in order, the first and the last among them") {
  for (const double rate : {10.0, 25.0, 120.0}) {
    CAPTURE(rate);
    Sampler sampler(kByMotion);
    const auto clips = run_moving(sampler, int(4 * rate) + 1, rate, 2s, 3s);
    REQUIRE(clips.size() == 1);
    const std::vector<Frame>& frames = clips[0].frames;
    REQUIRE(frames.size() == 16);
    CHECK(frames.front().stamp.pts == 0s);
    CHECK(frames.back().stamp.pts == 4s);
    int moving = 0;
    for (std::size_t i = 1; i < frames.size(); ++i) {
      CHECK(frames[i].stamp.pts > frames[i - 1].stamp.pts);
      CHECK(frames[i].stamp.pts - frames[i - 1].stamp.pts <= 1500ms);  // nothing long is left out
      moving += frames[i].stamp.pts >= 2s && frames[i].stamp.pts <= 3s;
    }
    CHECK(moving >= 10);
  }
}

TEST_CASE("where nothing moves motion spreads its frames evenly") {
  Sampler sampler(kByMotion);
  const auto clips = run_moving(sampler, 41, 10, 100s, 101s);
  REQUIRE(clips.size() == 1);
  for (std::size_t i = 1; i < 16; ++i) {
    const MediaTime step = clips[0].frames[i].stamp.pts - clips[0].frames[i - 1].stamp.pts;
    CHECK(step >= 200ms);
    CHECK(step <= 300ms);
  }
}

TEST_CASE("choosing by motion holds and converts a bounded number of frames at any frame rate and overlap") {
  for (const double rate : {10.0, 240.0, 5000.0}) {
    Sampling sampling = kByMotion;
    sampling.span = 20s;
    sampling.stride = 1s;
    Sampler sampler(sampling);
    std::size_t most = 0;
    int wanted = 0;
    for (int i = 0; i < int(60 * rate); ++i) {
      const FrameStamp stamp = stamp_at(i, MediaTime(std::int64_t(i * 1e9 / rate)));
      if (!sampler.wants(stamp)) continue;
      ++wanted;
      sampler.offer(frame_of(stamp));
      most = std::max(most, sampler.frames_held());
    }
    CHECK(most <= 4 * 16 + 2 * 21);
    CHECK(wanted <= 60 * 5);
  }
}

TEST_CASE("motion of a camera with too few frames repeats them, and a stream too short is tiled") {
  Sampler sampler(kByMotion);
  const auto clips = run_moving(sampler, 9, 2, 1s, 2s);
  REQUIRE(clips.size() == 1);
  CHECK(clips[0].frames.size() == 16);
  CHECK(clips[0].frames.back().stamp.pts == 4s);
  Sampler short_one(kByMotion);
  CHECK(run_moving(short_one, 3, 10, 0s, 1s).empty());
  const auto tiled = short_one.finish();
  REQUIRE(tiled);
  CHECK(numbers(*tiled) == std::vector<std::uint64_t>{0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0});
}
