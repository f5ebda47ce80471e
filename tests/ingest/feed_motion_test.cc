#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include "ingest/feed.h"
#include "tests/ingest/feed_log.h"

namespace palisade {
namespace {

using std::chrono::milliseconds;
using test::FeedLog;

constexpr int kSide = 48;

// A grey wall, ten pictures a second; a bright square crosses it in the third second, and the upper left
// quarter holds a secret that changes with every picture.
class Wall : public Source {
 public:
  explicit Wall(int frames) : frames_(frames) {}

  std::optional<Frame> next(const Wanted& wanted) override {
    while (number_ < frames_) {
      const FrameStamp stamp{.number = std::uint64_t(number_), .pts = milliseconds(100) * number_};
      ++number_;
      if (!wanted(stamp)) continue;
      std::vector<std::uint8_t> rgb(kSide * kSide * 3, 100);
      const auto paint = [&](int left, int top, int side, std::uint8_t shade) {
        for (int y = top; y < top + side; ++y) {
          std::fill_n(rgb.begin() + (y * kSide + left) * 3, side * 3, shade);
        }
      };
      paint(0, 0, kSide / 2, std::uint8_t(stamp.number % 2 == 0 ? 255 : 180));
      if (stamp.pts >= milliseconds(2000) && stamp.pts < milliseconds(3000)) {
        paint(int(stamp.number - 20) * 3, 30, 12, 220);
      }
      return Frame{stamp, "", kSide, kSide, Image(kSide, kSide, std::move(rgb))};
    }
    return std::nullopt;
  }
  bool live() const override { return false; }

 private:
  const int frames_;
  int number_ = 0;
};

FeedOptions wall(std::vector<Sampling> samplings) {
  FeedOptions options;
  options.stream = "door";
  options.source.url = "wall.mp4";
  options.samplings = std::move(samplings);
  options.image_size = 20;
  options.masks = {box_polygon({0, 0}, {0.49, 0.49})};
  return options;
}

std::vector<Clip> clips_of(FeedOptions options, int frames) {
  FeedLog log;
  Feed feed(std::move(options), log.on_clip(), log.on_report(),
            [=](const SourceOptions&, std::stop_token) { return std::make_unique<Wall>(frames); });
  REQUIRE(log.wait_for(FeedState::kEnded));
  std::vector<Clip> clips;
  for (const auto& [sampling, clip] : log.clips()) clips.push_back(clip);
  return clips;
}

constexpr Sampling kEverySecond{.count = 2, .span = milliseconds(900), .stride = milliseconds(1000)};

TEST_CASE("feed: no pixel under a mask reaches a clip") {
  const auto clips = clips_of(wall({kEverySecond}), 20);
  REQUIRE(clips.size() == 2);
  for (const Clip& clip : clips) {
    for (const Frame& frame : clip.frames) {
      REQUIRE(frame.image.width() == 20);
      // Bicubic weights reach two of the small picture's pixels beyond an edge, and overshoot it.
      for (int y = 0; y < 8; ++y) {
        for (int x = 0; x < 8; ++x) CHECK(frame.image.u8()[std::size_t(y * 20 + x) * 3] == 0);
      }
      CHECK(frame.image.u8()[std::size_t(19 * 20 + 19) * 3] == 100);
      // The even and the odd pictures differ in what is hidden alone.
      CHECK(std::ranges::equal(frame.image.u8(), clips[0].frames[0].image.u8()));
    }
  }
}

TEST_CASE(
    "feed: the last frame of each clip has a view with the camera's aspect, and no pixel under a mask") {
  FeedOptions options = wall({kEverySecond, kEverySecond});
  for (const Clip& clip : clips_of(options, 20)) CHECK(clip.frames.back().view.empty());
  options.make_views = true;
  const auto clips = clips_of(options, 20);
  REQUIRE(clips.size() == 4);
  // Clips that end with one frame share its view.
  CHECK(clips[0].frames.back().view.identity() == clips[1].frames.back().view.identity());
  for (const Clip& clip : clips) {
    CHECK(clip.frames.front().view.empty());
    const Image& view = clip.frames.back().view;
    REQUIRE(view.width() == kSide);
    REQUIRE(view.height() == kSide);
    for (int y = 0; y < 23; ++y) {
      for (int x = 0; x < 23; ++x) CHECK(view.u8()[std::size_t(y * kSide + x) * 3] == 0);
    }
    CHECK(view.u8()[std::size_t(kSide * kSide - 1) * 3] == 100);
  }
}

TEST_CASE(
    "feed: glimpses come beside the clips, masked, with views while somebody watches, and change no clip") {
  FeedOptions options = wall({kEverySecond});
  options.pace = true;
  const auto without = clips_of(options, 25);
  options.glimpses = true;
  FeedLog log;
  Feed feed(options, log.on_clip(), log.on_report(),
            [](const SourceOptions&, std::stop_token) { return std::make_unique<Wall>(25); });
  REQUIRE(log.wait_for_clips(2));
  feed.watch();
  REQUIRE(log.wait_for(FeedState::kEnded));
  std::vector<Clip> clips, glimpses;
  for (const auto& [sampling, clip] : log.clips()) (sampling == 0 ? clips : glimpses).push_back(clip);
  REQUIRE(clips.size() == without.size());
  for (std::size_t i = 0; i < clips.size(); ++i)
    CHECK(std::ranges::equal(clips[i].frames[1].image.u8(), without[i].frames[1].image.u8()));
  CHECK(glimpses.size() >= 5);
  CHECK(glimpses.front().frames[0].view.empty());
  const Frame& last = glimpses.back().frames[0];
  REQUIRE(last.view.width() == kSide);
  CHECK(last.view.u8()[0] == 0);
  CHECK(last.image.width() == 20);
}

TEST_CASE("feed: a clip says whether anything has moved, and nothing where nobody looks") {
  FeedOptions options = wall({kEverySecond});
  for (const Clip& clip : clips_of(options, 60)) CHECK_FALSE(clip.moving);
  options.watch_motion = true;
  const auto clips = clips_of(options, 60);
  REQUIRE(clips.size() == 6);
  std::vector<bool> moving;
  for (const Clip& clip : clips) moving.push_back(clip.moving.value());
  // Of the first nothing is known; what a mask hides does not move.
  CHECK(moving == std::vector<bool>{true, false, true, false, false, false});
  options.region = {box_polygon({0, 0}, {1, 0.5})};
  CHECK_FALSE(clips_of(options, 60)[2].moving.value());
}

TEST_CASE("feed: stills far apart hear of what moved between them") {
  FeedOptions options = wall({{.count = 1, .span = milliseconds(0), .stride = milliseconds(2000)}});
  options.watch_motion = true;
  const auto clips = clips_of(options, 81);
  REQUIRE(clips.size() == 5);
  CHECK(clips[1].moving == true);  // at 2 s
  CHECK(clips[2].moving == true);  // at 4 s, of 2 s to 3 s
  CHECK(clips[3].moving == false);
  CHECK(clips[4].moving == false);
}

TEST_CASE("feed: a motion sampling watches by itself") {
  const auto clips = clips_of(wall({{.count = 8,
                                     .span = milliseconds(5000),
                                     .stride = milliseconds(5000),
                                     .policy = SamplingPolicy::kMotion}}),
                              52);
  REQUIRE(clips.size() == 1);
  CHECK(std::ranges::count_if(clips[0].frames, [](const Frame& frame) {
          return frame.stamp.pts >= milliseconds(1900) && frame.stamp.pts <= milliseconds(3000);
        }) >= 4);
}

// OpenCV's recording of a university's yard, 79 s: people walk in it all the time; on the lawn at its left
// edge nobody does, but for one woman from 67 s to 75 s.
TEST_CASE("on a lawn of real footage nothing moves but who crosses it") {
  const std::string vtest = "/usr/share/doc/opencv-doc/examples/data/vtest.avi";
  if (!std::ifstream(vtest)) return;
  FeedOptions options;
  options.stream = "yard";
  options.source.url = vtest;
  options.samplings = {{.count = 1, .span = milliseconds(0), .stride = milliseconds(2000)}};
  options.image_size = 16;
  options.watch_motion = true;
  options.region = {box_polygon({0, 0.45}, {0.22, 0.75})};
  FeedLog log;
  const Feed feed(std::move(options), log.on_clip(), log.on_report());
  REQUIRE(log.wait_for(FeedState::kEnded));
  for (const auto& [sampling, clip] : log.clips()) {
    const double t = std::chrono::duration<double>(clip.frames[0].stamp.pts).count();
    CAPTURE(t);
    if (t > 2.5 && t < 66.5) CHECK_FALSE(clip.moving.value());
    if (t > 69.5 && t < 74.5) CHECK(clip.moving.value());
  }
}

}  // namespace
}  // namespace palisade
