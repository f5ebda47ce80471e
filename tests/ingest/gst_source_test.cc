#include <doctest/doctest.h>

#include <cstdlib>
#include <stop_token>
#include <string>
#include <vector>

#include "ingest/open_source.h"
#include "ingest/source/source.h"
#include "tests/ingest/read_source.h"

namespace palisade {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using test::all;
using test::error_of;

// A pipeline that starts and never gives a picture.
constexpr const char* kSilent = "appsrc is-live=true ! appsink name=palisade async=false";

SourceOptions pipeline(const std::string& line) {
  return {.url = "gst:" + line, .allow_launch = true};
}

TEST_CASE("a pipeline's pictures come as RGB, its padded rows packed") {
  // 30 pixels are 90 bytes, which GStreamer pads to 92.
  const auto source =
      open_source(pipeline("videotestsrc num-buffers=5 pattern=solid-color "
                           "foreground-color=0xff2040c0 ! video/x-raw,format=RGB,width=30,height=10"),
                  {});
  CHECK(source->live());
  int frames = 0;
  while (const auto frame = source->next(all)) {
    REQUIRE(frame->image.width() == 30);
    REQUIRE(frame->image.height() == 10);
    const auto rgb = frame->image.u8();
    for (std::size_t i = 0; i < rgb.size(); i += 3) {
      REQUIRE(std::abs(int(rgb[i]) - 0x20) <= 1);
      REQUIRE(std::abs(int(rgb[i + 1]) - 0x40) <= 1);
      REQUIRE(std::abs(int(rgb[i + 2]) - 0xc0) <= 1);
    }
    CHECK(frame->stamp.time_source == TimeSource::kArrival);
    ++frames;
  }
  CHECK(frames == 5);
}

TEST_CASE("an appsink of the line's own is used, and pts begin at 0") {
  const auto source =
      open_source(pipeline("videotestsrc num-buffers=4 ! video/x-raw,width=16,height=16,framerate=50/1 "
                           "! videoconvert ! appsink name=palisade sync=false"),
                  {});
  for (int i = 0; i < 4; ++i) {
    const auto frame = source->next(all);
    REQUIRE(frame.has_value());
    CHECK(frame->stamp.number == std::uint64_t(i));
    CHECK(frame->stamp.pts == milliseconds(20) * i);
  }
  CHECK(source->next(all) == std::nullopt);
}

TEST_CASE("a line that is no pipeline, or gives no pictures, says what is wrong") {
  CHECK(error_of(pipeline("nosuchelement ! fakesink")).fault() == SourceFault::kUnreadable);
  CHECK(error_of(pipeline("")).fault() == SourceFault::kUnreadable);
  CHECK(error_of(pipeline("videotestsrc ! fakesink name=palisade")).fault() == SourceFault::kUnreadable);
  CHECK(error_of(pipeline("audiotestsrc num-buffers=2")).fault() == SourceFault::kUnreadable);
  CHECK(error_of(pipeline("filesrc location=/nonexistent ! decodebin")).fault() == SourceFault::kUnreachable);
}

TEST_CASE("a pipeline that never starts and one that stops giving pictures are told apart") {
  SourceOptions silent =
      pipeline("appsrc is-live=false caps=video/x-raw,format=RGB,width=8,height=8,framerate=5/1");
  silent.open_timeout = milliseconds(200);
  CHECK(error_of(silent).fault() == SourceFault::kUnreachable);
  SourceOptions stalled = pipeline(kSilent);
  stalled.stall_timeout = milliseconds(200);
  const auto start = steady_clock::now();
  CHECK(error_of(stalled).fault() == SourceFault::kStalled);
  CHECK(steady_clock::now() - start < seconds(3));
}

TEST_CASE("a stop interrupts a pipeline that gives nothing") {
  std::stop_source stop;
  const auto source = open_source(pipeline(kSilent), stop.get_token());
  stop.request_stop();
  const auto start = steady_clock::now();
  try {
    source->next(all);
    FAIL("not interrupted");
  } catch (const SourceError& e) {
    CHECK(e.fault() == SourceFault::kInterrupted);
  }
  CHECK(steady_clock::now() - start < seconds(1));
}

TEST_CASE("a pipeline's error shows no password") {
  const SourceError error =
      error_of(pipeline("rtspsrc location=rtsp://me:hunter2@127.0.0.1:9/x user-pw=hunter2 ! nosuch"));
  CHECK(std::string(error.what()).find("hunter2") == std::string::npos);
}

}  // namespace
}  // namespace palisade
