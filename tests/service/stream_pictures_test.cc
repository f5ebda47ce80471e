#include "service/streams/stream_pictures.h"

#include <doctest/doctest.h>

using namespace palisade;
using namespace std::chrono_literals;

namespace {

Frame frame_at(std::chrono::milliseconds pts, bool with_view = true) {
  Frame frame{.stamp = {.pts = pts}, .image = {1, 1, std::vector<std::uint8_t>(3, 1)}};
  if (with_view) frame.view = {2, 2, std::vector<std::uint8_t>(12, 1)};
  return frame;
}

}  // namespace

TEST_CASE("two pictures a second of the last sixteen seconds are kept, however many come, and no views") {
  StreamPictures pictures;
  CHECK(pictures.last(16s).empty());
  for (auto pts = 0ms; pts <= 60s; pts += 100ms) pictures.add_glimpse(frame_at(pts));
  const auto all = pictures.last(16s);
  CHECK(all.size() == 32);
  CHECK(all.back().view.empty());
  for (std::size_t i = 1; i < all.size(); ++i) CHECK(all[i].stamp.pts - all[i - 1].stamp.pts == 500ms);
  CHECK(pictures.last(10s).size() == 21);
  CHECK(pictures.last(0s).size() == 1);
}

TEST_CASE("the last seconds end where a stream begins anew") {
  StreamPictures pictures;
  for (auto pts = 0ms; pts < 5s; pts += 500ms) pictures.add_glimpse(frame_at(pts));
  pictures.add_glimpse(frame_at(0ms));
  CHECK(pictures.last(16s).size() == 1);
  Frame jumped = frame_at(90s);
  jumped.stamp.jumped = true;
  pictures.add_glimpse(jumped);
  CHECK(pictures.last(16s).size() == 1);
}

TEST_CASE("the newest picture is one that people can look at, where there is one") {
  StreamPictures pictures;
  CHECK_FALSE(pictures.newest());
  pictures.add_glimpse(frame_at(0ms, false));
  CHECK(pictures.newest()->frame.stamp.pts == 0ms);
  pictures.add(frame_at(100ms));
  pictures.add_glimpse(frame_at(500ms, false));
  CHECK(pictures.newest()->frame.stamp.pts == 100ms);
  pictures.add_glimpse(frame_at(700ms));
  CHECK(pictures.newest()->frame.stamp.pts == 700ms);
}
