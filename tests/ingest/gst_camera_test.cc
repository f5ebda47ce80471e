#include <doctest/doctest.h>

#include <string>

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
using test::RtspCamera;

SourceOptions impatient_gstreamer(const std::string& url) {
  return {.url = url,
          .reader = RtspReader::kGstreamer,
          .open_timeout = milliseconds(8'000),
          .stall_timeout = milliseconds(700)};
}

TEST_CASE("gstreamer: an RTSP camera delivers live pictures over either transport") {
  for (const RtspTransport transport : {RtspTransport::kTcp, RtspTransport::kUdp}) {
    CAPTURE(int(transport));
    const RtspCamera camera;
    SourceOptions options = impatient_gstreamer(camera.url());
    options.transport = transport;
    const auto source = open_source(options, {});
    CHECK(source->live());
    MediaTime last{-1};
    int keyframes = 0;
    for (std::uint64_t i = 0; i < 32; ++i) {
      const auto frame = source->next(all);
      REQUIRE(frame.has_value());
      CHECK(frame->source_width == 128);
      CHECK(frame->stamp.number == i);
      CHECK(frame->stamp.pts > last);
      CHECK(frame->stamp.pts - last < seconds(1));
      keyframes += frame->stamp.keyframe;
      last = frame->stamp.pts;
    }
    // One in fifteen.
    CHECK(keyframes >= 2);
    CHECK(keyframes <= 4);
  }
}

TEST_CASE("gstreamer: a camera that refuses TCP is read over UDP, unless TCP was asked for") {
  const RtspCamera camera;
  SourceOptions options = impatient_gstreamer(camera.udp_url());
  CHECK(open_source(options, {})->next(all).has_value());
  options.transport = RtspTransport::kTcp;
  const SourceError error = error_of(options);
  CHECK((error.fault() == SourceFault::kUnreadable || error.fault() == SourceFault::kUnreachable));
}

TEST_CASE("gstreamer: a password of any characters opens the camera, a wrong one is told apart") {
  const std::string password = "p@:/#%[]!s w";
  for (const char* method : {"digest", "basic"}) {
    CAPTURE(method);
    const RtspCamera camera(0, {"admin", password, method});
    SourceOptions options = impatient_gstreamer(camera.url());
    CHECK(error_of(options).fault() == SourceFault::kAuthFailed);
    options.username = "admin";
    options.password = "hunter2";
    const SourceError wrong = error_of(options);
    CHECK(wrong.fault() == SourceFault::kAuthFailed);
    CHECK(std::string(wrong.what()).find("hunter2") == std::string::npos);
    options.password = password;
    CHECK(open_source(options, {})->next(all).has_value());
  }
}

TEST_CASE("a v4l2 address that names no device says what is wrong") {
  const test::TestFolder folder;
  const SourceError absent = error_of({.url = "v4l2:/dev/video97", .allow_launch = true});
  CHECK(absent.fault() == SourceFault::kUnreachable);
  CHECK(std::string(absent.what()).find("plugged in") != std::string::npos);
  const std::string file = folder.write("video0", {});
  for (const std::string& path : {file, folder.path().string(), std::string()}) {
    CAPTURE(path);
    const SourceError wrong = error_of({.url = "v4l2:" + path, .allow_launch = true});
    CHECK(wrong.fault() == SourceFault::kUnreadable);
    CHECK(std::string(wrong.what()).find("v4l2:/dev/video0") != std::string::npos);
  }
  const SourceError other = error_of({.url = "v4l2:/dev/null", .allow_launch = true});
  CHECK(std::string(other.what()).find("v4l2 driver") != std::string::npos);
}

}  // namespace
}  // namespace palisade
