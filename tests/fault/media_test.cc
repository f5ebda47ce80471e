// Media whose timestamps, sizes and codecs are wrong or change: of the fault list.
#include <doctest/doctest.h>

#include <random>
#include <set>
#include <thread>

#include "ingest/open_source.h"
#include "tests/fault/transport_stream.h"
#include "tests/fault/watched.h"
#include "tests/ingest/http_server.h"
#include "tests/ingest/read_source.h"
#include "tests/ingest/rtsp_camera.h"
#include "tests/ingest/test_files.h"

namespace palisade {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using test::golden;
using test::HttpServer;
using test::impatient;
using test::kReaders;
using test::RtspCamera;
using test::transport_stream;
using test::watch_with_both;
using test::WatchedFeed;
using test::WatchedFeeds;

constexpr std::int64_t kSecond = 90'000;  // of a transport stream's clock

// Serves a live stream of unknown length, at ten frames a second or as fast as the client reads.
HttpServer::Answer live(std::string stream, milliseconds between_parts = {}) {
  return [stream = std::move(stream), between_parts](const std::string&, const HttpServer::Send& send) {
    send("HTTP/1.0 200 OK\r\nContent-Type: video/mp2t\r\n\r\n");
    for (std::size_t at = 0; at < stream.size(); at += 1'000) {
      if (!send(std::string_view(stream).substr(at, 1'000))) return;
      std::this_thread::sleep_for(between_parts);
    }
  };
}

std::string read_all(const std::string& path) {
  const std::vector<std::byte> bytes = test::bytes_of(path);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

SourceOptions gst_file(const std::string& path) {
  return {.url = "gst:filesrc location=" + path +
                 " ! decodebin ! videoconvert ! appsink name=palisade sync=false",
          .allow_launch = true};
}

// Opens a file with FFmpeg and with a GStreamer pipeline.
std::vector<SourceOptions> both_ways(const std::string& path) {
  std::vector<SourceOptions> ways = {{.url = path}, gst_file(path)};
  for (SourceOptions& way : ways) {
    way.open_timeout = seconds(5);
    way.stall_timeout = seconds(3);
  }
  return ways;
}

std::vector<Frame> frames_until_error(const SourceOptions& options,
                                      std::optional<SourceFault>* fault = nullptr) {
  std::vector<Frame> frames;
  try {
    const auto source = open_source(options, {});
    while (auto frame = source->next(test::all)) frames.push_back(std::move(*frame));
  } catch (const SourceError& e) {
    CAPTURE(std::string(e.what()));
    CHECK(e.fault() != SourceFault::kInterrupted);
    if (fault != nullptr) *fault = e.fault();
  }
  return frames;
}

TEST_CASE("R-11 a camera that changes its picture's size goes on, and tells it once") {
  RtspCamera camera;
  WatchedFeeds all = watch_with_both(camera.url());
  for (auto& watched : all) REQUIRE(watched->log.wait_for_clips(1));
  camera.tell("size 160 120");
  for (auto& watched : all) {
    CAPTURE(watched->options.stream);
    REQUIRE(watched->log.wait_for(FeedState::kOnline, 2));
    REQUIRE(watched->log.wait_for_clips(watched->log.clips().size() + 2));
    const auto reports = watched->log.reports();
    CHECK(watched->log.states() ==
          std::vector{FeedState::kConnecting, FeedState::kOnline, FeedState::kOnline});
    CHECK(reports[1].width == 128);
    CHECK(reports[2].width == 160);
    CHECK(reports[2].height == 120);
    // Frames are resized one by one, so that windows with both sizes are complete.
    test::check_windows(watched->log.clips(), milliseconds(70));
  }
}

TEST_CASE("R-12 a camera whose codec was changed is opened anew, and no picture is made of the wrong one") {
  RtspCamera camera;
  WatchedFeeds all = watch_with_both(camera.url());
  for (auto& watched : all) REQUIRE(watched->log.wait_for(FeedState::kOnline));
  camera.tell("codec jpeg");
  for (auto& watched : all) {
    CAPTURE(watched->options.stream);
    REQUIRE(watched->log.wait_for(FeedState::kReconnecting));
    REQUIRE(watched->log.wait_for(FeedState::kOnline, 2));
    for (const FeedReport& report : watched->log.reports()) CHECK((report.width == 128 || report.width == 0));
  }
}

TEST_CASE(
    "R-12 a codec that changes in the middle of a stream yields no junk, and the stream is opened anew") {
  const HttpServer server(live(read_all(golden("clips/codec_change.ts"))));
  WatchedFeed watched(impatient(server.url("/x.ts"), RtspReader::kFfmpeg));
  REQUIRE(watched.log.wait_for(FeedState::kReconnecting));
  CHECK(watched.log.count(FeedState::kUnreadable) == 0);
  for (const FeedReport& report : watched.log.reports()) CHECK((report.width == 128 || report.width == 0));
  for (const Frame& frame : frames_until_error(gst_file(golden("clips/codec_change.ts")))) {
    CHECK(frame.source_width == 128);
    CHECK(frame.source_height == 96);
  }
}

TEST_CASE("R-13 a counter that wraps moves media time on by one frame") {
  for (const SourceOptions& options : both_ways(golden("clips/wrap.ts"))) {
    CAPTURE(options.url);
    const std::vector<Frame> frames = frames_until_error(options);
    REQUIRE(frames.size() >= 9);
    for (std::size_t i = 1; i < frames.size(); ++i) {
      CHECK(std::chrono::abs(frames[i].stamp.pts - frames[i - 1].stamp.pts - milliseconds(100)) <
            milliseconds(2));
      CHECK_FALSE(frames[i].stamp.jumped);
    }
  }
}

// A frame's number tells when it was taken: checks that the frames of a window have the right distance.
TEST_CASE("R-14 no window spans a jump, whatever timestamps do") {
  using Number = std::int64_t;
  const std::pair<const char*, test::Retime> faults[] = {
      {"ahead", [](Number number, Number pts) { return number < 15 ? pts : pts + 10 * kSecond; }},
      {"back", [](Number number, Number pts) { return number < 15 ? pts : pts - 2 * kSecond; }},
      {"far back", [](Number number, Number pts) { return number < 15 ? pts + 70'000 * kSecond : pts; }},
      {"wraps", [](Number, Number pts) { return (pts + 95'440 * kSecond) & 0x1'ffff'ffff; }},
      {"twice", [](Number number, Number pts) { return pts - number % 2 * 9'000; }},
      {"missing", [](Number number, Number pts) {
         return number % 4 == 3 ? std::nullopt : std::optional<Number>(pts);
       }}};
  const std::string good = transport_stream(golden("clips/street.mp4"), 1);
  for (const auto& [name, retime] : faults) {
    CAPTURE(std::string(name));
    const HttpServer server(live(test::retimed(good, retime)));
    WatchedFeed watched(impatient(server.url("/x.ts"), RtspReader::kFfmpeg));
    REQUIRE(watched.log.wait_for(FeedState::kReconnecting));  // it has been sent to its end
    const auto clips = watched.log.clips();
    CHECK(clips.size() >= 2);
    int told = 0;
    for (const FeedReport& report : watched.log.reports())
      told += report.reason.find("jumped") != std::string::npos;
    const bool jumps = std::set<std::string>{"ahead", "back", "far back"}.contains(name);
    CHECK(told >= (jumps ? 1 : 0));
    if (!jumps) CHECK(told == 0);
    MediaTime last{-1};
    for (const auto& [sampling, clip] : clips) {
      CHECK(clip.frames.front().stamp.pts > last);
      last = clip.frames.front().stamp.pts;
      for (std::size_t i = 1; i < clip.frames.size(); ++i) {
        const auto step = clip.frames[i].stamp.number - clip.frames[i - 1].stamp.number;
        CHECK((step >= 1 && step <= 3));  // 200 ms are two frames
      }
    }
  }
}

TEST_CASE("R-14 a live stream without timestamps is timed by its arrival") {
  const std::string stream = transport_stream(golden("clips/street.mp4"), 2, "h264");
  const HttpServer server(live(stream, milliseconds(40)));
  const auto source = open_source(impatient(server.url("/x.h264"), RtspReader::kFfmpeg).source, {});
  const auto first = source->next(test::all);
  const auto start = steady_clock::now();
  std::optional<Frame> last;
  for (int i = 0; i < 40; ++i) last = source->next(test::all);
  REQUIRE(last.has_value());
  const MediaTime took = steady_clock::now() - start;
  CHECK(std::chrono::abs(last->stamp.pts - first->stamp.pts - took) < milliseconds(300));
}

TEST_CASE("R-15 corrupted bytes give sound frames, or an error, whoever reads them") {
  const test::TestFolder folder;
  const std::string good = transport_stream(golden("clips/street.mp4"), 2);
  for (const unsigned seed : {1u, 2u, 3u, 4u}) {
    std::string bad = good;
    std::minstd_rand random(seed);
    for (std::size_t at = 2'000; at < bad.size(); at += 200 + random() % 4'000) bad[at] = char(random());
    for (const SourceOptions& options : both_ways(folder.write("bad.ts", bad))) {
      CAPTURE(options.url);
      CAPTURE(seed);
      for (const Frame& frame : frames_until_error(options)) CHECK(frame.source_width > 0);
    }
  }
}

TEST_CASE("R-16 whoever joins far from a key frame waits for it, and then says that there is none") {
  const RtspCamera camera;
  const auto start = steady_clock::now();
  WatchedFeeds all;
  for (const RtspReader reader : kReaders) {
    FeedOptions options = impatient(camera.url("/keyless"), reader);
    options.source.open_timeout = seconds(10);  // FFmpeg looks at some of it first
    all.push_back(std::make_unique<WatchedFeed>(options));
  }
  for (auto& watched : all) {
    CAPTURE(watched->options.stream);
    REQUIRE(watched->log.wait_for(FeedState::kStalled));
    CHECK(steady_clock::now() - start >= watched->options.source.keyframe_timeout);
    const FeedReport report = watched->log.reports()[1];
    CAPTURE(report.reason);
    CHECK(report.reason.find("no key frame for 3000 ms") != std::string::npos);
    CHECK(watched->log.count(FeedState::kOnline) == 0);
  }
}

TEST_CASE("R-17 a camera of many frames a second gives windows of the same time, and few pictures") {
  const RtspCamera camera;
  WatchedFeeds all = watch_with_both(camera.url("/fast"));
  for (auto& watched : all) {
    CAPTURE(watched->options.stream);
    REQUIRE(watched->log.wait_for_clips(3));
    test::check_windows(watched->log.clips(), milliseconds(70));
    const auto clips = watched->log.clips();
    // Of the 192 frames that the camera sends, about four are kept from every 800 ms.
    const Clip& last = clips.back().second;
    CHECK(last.frames.back().stamp.number - last.frames.front().stamp.number > 40);
  }
}

TEST_CASE("R-18 a camera without video says so; of several tracks the first picture is taken") {
  const RtspCamera camera;
  for (const RtspReader reader : kReaders) {
    CAPTURE(test::name_of(reader));
    const SourceError error = test::error_of(impatient(camera.url("/audio"), reader).source);
    CHECK(error.fault() == SourceFault::kUnreadable);
    CHECK(std::string(error.what()).find("no video") != std::string::npos);
    for (const char* path : {"/both", "/two"}) {
      CAPTURE(std::string(path));
      const auto frame = open_source(impatient(camera.url(path), reader).source, {})->next(test::all);
      REQUIRE(frame.has_value());
      CHECK(frame->source_width == 128);
    }
  }
}

TEST_CASE("R-18 twenty tracks are read; more than 32 are an error for FFmpeg and no matter for a pipeline") {
  const test::TestFolder folder;
  for (const int tracks : {20, 40}) {
    CAPTURE(tracks);
    const std::string path =
        folder.write("tracks.ts", transport_stream(golden("clips/street.mp4"), 1, "mpegts", tracks));
    for (const SourceOptions& options : both_ways(path)) {
      CAPTURE(options.url);
      std::optional<SourceFault> fault;
      const std::vector<Frame> frames = frames_until_error(options, &fault);
      // A pipeline uses the first video track, however many there are.
      if (tracks == 20 || options.allow_launch) {
        CHECK(frames.size() == 30);
      } else {
        CHECK(fault == SourceFault::kUnreadable);
      }
    }
  }
}

TEST_CASE(
    "R-19 files that are empty, cut, growing, without index or no video at all end with a clear error") {
  const test::TestFolder folder;
  const std::string whole = transport_stream(golden("clips/street.mp4"), 2);
  for (const std::string& path :
       {folder.write("empty.mp4", ""), folder.write("text.mp4", std::string(9'000, 'x')),
        golden("clips/no_index.mp4"), golden("clips/audio_only.mp4")}) {
    for (const SourceOptions& options : both_ways(path)) {
      CAPTURE(options.url);
      std::optional<SourceFault> fault;
      CHECK(frames_until_error(options, &fault).empty());
      // decodebin does not always report that it cannot decode; then open_timeout expires.
      const bool waited = options.allow_launch && fault == SourceFault::kUnreachable;
      CHECK((fault == SourceFault::kUnreadable || waited));
    }
  }
  // A file that is still being written is read to its present end.
  for (const SourceOptions& options :
       both_ways(folder.write("growing.ts", whole.substr(0, whole.size() / 2)))) {
    CAPTURE(options.url);
    CHECK(frames_until_error(options).size() >= 20);
  }
}

TEST_CASE("R-23 a picture of enormous size is refused before a decoder makes room for it") {
  for (const char* clip : {"clips/bomb.ts", "clips/bomb.mp4"}) {
    for (const SourceOptions& options : both_ways(golden(clip))) {
      CAPTURE(options.url);
      std::optional<SourceFault> fault;
      CHECK(frames_until_error(options, &fault).empty());
      CHECK(fault == SourceFault::kUnreadable);
    }
  }
  RtspCamera camera;
  for (const RtspReader reader : kReaders) {
    SourceOptions options = impatient(camera.url(), reader).source;
    options.max_pixels = 128 * 96 - 1;
    CHECK(test::error_of(options).fault() == SourceFault::kUnreadable);
  }
}

}  // namespace
}  // namespace palisade
