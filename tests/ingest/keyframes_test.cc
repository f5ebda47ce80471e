// Sources that decode only keyframes.
#include <doctest/doctest.h>

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "ingest/open_source.h"
#include "ingest/source/source.h"
#include "tests/ingest/read_source.h"
#include "tests/ingest/rtsp_camera.h"
#include "tests/ingest/test_files.h"

namespace palisade {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using test::all;
using test::error_of;
using test::golden;
using test::RtspCamera;

std::vector<Frame> frames_of(const std::string& path, Decode decode) {
  const auto source = open_source({.url = path, .decode = decode}, {});
  std::vector<Frame> frames;
  while (auto frame = source->next(all)) frames.push_back(std::move(*frame));
  return frames;
}

SourceOptions camera_options(const std::string& url, RtspReader reader) {
  return {.url = url,
          .reader = reader,
          .decode = Decode::kKeyframes,
          .open_timeout = milliseconds(8'000),
          .stall_timeout = milliseconds(700)};
}

constexpr RtspReader kReaders[] = {RtspReader::kFfmpeg, RtspReader::kGstreamer};

TEST_CASE("a file's keyframes are the same pictures at the same times, whatever else is decoded") {
  int keyframes = 0;
  for (const char* name :
       {"clips/street.mp4", "clips/with_audio.mp4", "clips/wrap.ts", "clips/mpeg4.avi", "clips/vp8.webm",
        "clips/vp9.webm", "clips/h265.mkv", "clips/fullrange.avi", "world/clip0.mp4", "world/clip1.mp4"}) {
    CAPTURE(std::string(name));
    std::vector<Frame> expected = frames_of(golden(name), Decode::kAll);
    std::erase_if(expected, [](const Frame& frame) { return !frame.stamp.keyframe; });
    const std::vector<Frame> alone = frames_of(golden(name), Decode::kKeyframes);
    REQUIRE(alone.size() == expected.size());
    for (std::size_t i = 0; i < alone.size(); ++i) {
      CHECK(alone[i].stamp.number == i);
      CHECK(alone[i].stamp.pts == expected[i].stamp.pts);
      CHECK(alone[i].stamp.wall == expected[i].stamp.wall);
      CHECK(alone[i].stamp.keyframe);
      CHECK(alone[i].stamp.corrupt == false);
      CHECK(std::ranges::equal(alone[i].image.u8(), expected[i].image.u8()));
    }
    keyframes += int(alone.size());
  }
  CHECK(keyframes >= 20);  // some of them have several
}

TEST_CASE("a camera's keyframes come as it sends them, and what lies between is a sign of life") {
  for (const RtspReader reader : kReaders) {
    CAPTURE(int(reader));
    const RtspCamera camera;
    // Its keyframes are a second apart, longer than its stall time.
    const auto source = open_source(camera_options(camera.url(), reader), {});
    MediaTime last{0};
    for (std::uint64_t i = 0; i < 4; ++i) {
      const auto frame = source->next(all);
      REQUIRE(frame.has_value());
      CHECK(frame->stamp.number == i);
      CHECK(frame->stamp.keyframe);
      // The camera makes one for a new client, and continues with its own.
      if (i > 1) CHECK(std::chrono::abs(frame->stamp.pts - last - seconds(1)) < milliseconds(60));
      last = frame->stamp.pts;
      // A keyframe is delivered when it comes and not with the next one.
      CHECK(std::chrono::abs(frame->stamp.wall - std::chrono::system_clock::now()) < milliseconds(700));
    }
  }
}

TEST_CASE("a frozen camera has stalled where keyframes alone are decoded too") {
  for (const RtspReader reader : kReaders) {
    CAPTURE(int(reader));
    const RtspCamera camera;
    const SourceOptions options = camera_options(camera.url(), reader);
    const auto source = open_source(options, {});
    REQUIRE(source->next(all).has_value());
    camera.freeze();
    const auto frozen = steady_clock::now();
    CHECK(error_of(*source).fault() == SourceFault::kStalled);
    CHECK(steady_clock::now() - frozen < options.stall_timeout + seconds(2));
  }
}

TEST_CASE("a camera that sends no more keyframes is unreadable, and the remedy is named") {
  for (const RtspReader reader : kReaders) {
    CAPTURE(int(reader));
    const RtspCamera camera;
    SourceOptions options = camera_options(camera.seldom_url(), reader);
    options.stall_timeout = milliseconds(400);
    const SourceError error = error_of(options);
    CHECK(error.fault() == SourceFault::kUnreadable);
    CHECK(std::string(error.what()).find("decode: all") != std::string::npos);
  }
}

TEST_CASE("a pipeline of one's own passes its decoder keyframes alone as well") {
  const std::string line =
      "gst:videotestsrc num-buffers=60 ! video/x-raw,width=64,height=48,framerate=30/1 ! "
      "x264enc key-int-max=10 bframes=0 tune=zerolatency ! h264parse ! avdec_h264";
  const auto source = open_source({.url = line, .decode = Decode::kKeyframes, .allow_launch = true}, {});
  int frames = 0;
  for (; source->next(all); ++frames) {
  }
  CHECK(frames == 6);
}

TEST_CASE("keyframes alone are decoded where every sampling takes no others, unless it is said otherwise") {
  const Sampling keyframes{.policy = SamplingPolicy::kKeyframes};
  const Sampling uniform;
  const Sampling both[] = {keyframes, uniform};
  const auto decode = [](std::span<const Sampling> samplings, Decode said) {
    return decoding_for(samplings, {.decode = said}).decode;
  };
  CHECK(decode({&keyframes, 1}, Decode::kAsNeeded) == Decode::kKeyframes);
  CHECK(decode({&uniform, 1}, Decode::kAsNeeded) == Decode::kAll);
  CHECK(decode(both, Decode::kAsNeeded) == Decode::kAll);
  CHECK(decode({}, Decode::kAsNeeded) == Decode::kAll);
  CHECK(decode({&keyframes, 1}, Decode::kAll) == Decode::kAll);
  CHECK(decode({&uniform, 1}, Decode::kKeyframes) == Decode::kKeyframes);
}

}  // namespace
}  // namespace palisade
