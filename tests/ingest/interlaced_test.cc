#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>
#include <vector>

#include "ingest/open_source.h"
#include "ingest/source/source.h"
#include "tests/ingest/read_source.h"
#include "tests/ingest/test_files.h"

namespace palisade {
namespace {

std::vector<Frame> frames_at(const std::string& url) {
  const auto source = open_source({.url = url, .allow_launch = true}, {});
  std::vector<Frame> frames;
  while (auto frame = source->next(test::all)) frames.push_back(*std::move(frame));
  return frames;
}

std::vector<Frame> frames_in(const char* name) {
  return frames_at(test::golden(std::string("clips/interlaced/") + name));
}

std::vector<Frame> frames_by_gstreamer(const char* name) {
  return frames_at("gst:filesrc location=\"" + test::golden(std::string("clips/interlaced/") + name) +
                   "\" ! decodebin ! videoconvert ! appsink name=palisade sync=false");
}

// The mean difference between a line and its neighbours.
double combing(const Image& image) {
  const int row = 3 * image.width();
  const auto sample = [&](int at) { return int(image.u8()[std::size_t(at)]); };
  double sum = 0;
  for (int at = row; at < row * (image.height() - 1); ++at)
    sum += std::abs(2 * sample(at) - sample(at - row) - sample(at + row)) / 2.0;
  return sum / (row * (image.height() - 2));
}

double difference(const Image& a, const Image& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.u8().size(); ++i) sum += std::abs(int(a.u8()[i]) - int(b.u8()[i]));
  return sum / double(a.u8().size());
}

constexpr std::array kSaid = {"mpeg2_top.ts", "h264_top.mp4", "h264_bottom.mp4", "mpeg2_still.ts"};

TEST_CASE(
    "pictures of two moments become pictures of one where the stream says so, as many and at the same "
    "times") {
  const std::vector<Frame> woven = frames_in("h264_unsaid.mp4");
  REQUIRE(woven.size() == 6);
  for (const char* name : {"mpeg2_top.ts", "h264_top.mp4", "h264_bottom.mp4"}) {
    CAPTURE(std::string(name));
    const std::vector<Frame> frames = frames_in(name);
    REQUIRE(frames.size() == woven.size());
    for (std::size_t i = 0; i < frames.size(); ++i) {
      CAPTURE(i);
      CHECK(frames[i].stamp.pts == woven[i].stamp.pts);
      CHECK(combing(frames[i].image) < 0.5 * combing(woven[i].image));
    }
  }
}

TEST_CASE("what does not move keeps all its lines from the second picture on") {
  const std::vector<Frame> frames = frames_in("mpeg2_still.ts");
  const std::vector<Frame> woven = frames_in("mpeg2_still_unsaid.ts");
  REQUIRE(frames.size() == 6);
  REQUIRE(woven.size() == 6);
  const double first = difference(frames[0].image, woven[0].image);
  for (std::size_t i = 1; i < 6; ++i) CHECK(difference(frames[i].image, woven[i].image) < first / 2);
}

TEST_CASE("both readers make the same of interlaced pictures, and leave alone what does not say that it is") {
  for (const char* name : {"mpeg2_top.ts", "h264_top.mp4", "h264_bottom.mp4", "mpeg2_still.ts",
                           "mpeg2_unsaid.ts", "h264_unsaid.mp4"}) {
    CAPTURE(std::string(name));
    const std::vector<Frame> ours = frames_in(name);
    const std::vector<Frame> theirs = frames_by_gstreamer(name);
    REQUIRE(ours.size() == theirs.size());
    for (std::size_t i = 0; i < ours.size(); ++i) {
      CAPTURE(i);
      CHECK(difference(ours[i].image, theirs[i].image) == 0);
    }
  }
}

TEST_CASE("a picture of which not all are wanted is the same as when all are") {
  for (const char* name : kSaid) {
    CAPTURE(std::string(name));
    const std::vector<Frame> all = frames_in(name);
    const auto source = open_source({.url = test::golden(std::string("clips/interlaced/") + name)}, {});
    const auto fourth = source->next([](const FrameStamp& stamp) { return stamp.number == 3; });
    REQUIRE(fourth.has_value());
    CHECK(difference(fourth->image, all[3].image) == 0);
  }
}

}  // namespace
}  // namespace palisade
