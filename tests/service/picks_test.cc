#include "service/asking/picks.h"

#include <doctest/doctest.h>

using namespace palisade;
using namespace std::chrono_literals;

TEST_CASE("frames are spread evenly from the first to the last") {
  std::vector<MediaTime> pts;
  for (int i = 0; i < 31; ++i) pts.push_back(100ms * i);
  const auto picks = evenly_spread(pts, 16, pts.back());
  REQUIRE(picks.size() == 16);
  for (std::size_t i = 0; i < 16; ++i) CHECK(picks[i] == 2 * i);
}

TEST_CASE("a video of fewer frames than asked shows some again, in order") {
  const std::vector<MediaTime> pts = {0ms, 100ms, 200ms};
  const auto picks = evenly_spread(pts, 16, pts.back());
  CHECK(picks.size() == 16);
  CHECK(std::ranges::is_sorted(picks));
  CHECK(picks.front() == 0);
  CHECK(picks.back() == 2);
}

TEST_CASE("uneven frames are taken where they are nearest") {
  const std::vector<MediaTime> pts = {0ms, 40ms, 900ms, 1000ms, 3000ms};
  CHECK(evenly_spread(pts, 4, 3000ms) == std::vector<std::size_t>{0, 3, 3, 4});
  CHECK(evenly_spread(pts, 1, 3000ms) == std::vector<std::size_t>{0});
  CHECK(evenly_spread({}, 4, 0ms).empty());
}

TEST_CASE("a stream's name is made of its file or address, and of nothing secret") {
  CHECK(stream_name_of("/tmp/My Street.mp4") == "my_street");
  CHECK(stream_name_of("rtsp://camera/Front") == "front");
  CHECK(stream_name_of("rtsp://user:secret@camera/x") == "rtsp");
  CHECK(stream_name_of("rtsp://camera") == "rtsp");
  CHECK(stream_name_of("http://h/a/b.mp4?token=secret") == "b");
  CHECK(stream_name_of("gst:videotestsrc ! appsink") == "gst");
  CHECK(stream_name_of(".") == "_");
}
