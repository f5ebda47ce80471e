#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <dirent.h>
#include <stop_token>
#include <string>
#include <thread>

#include "base/format.h"
#include "ingest/feed.h"
#include "ingest/open_source.h"
#include "tests/ingest/feed_log.h"
#include "tests/ingest/read_source.h"
#include "tests/ingest/rtsp_camera.h"

namespace palisade {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using test::all;
using test::error_of;
using test::FeedLog;
using test::RtspCamera;

SourceOptions impatient(const std::string& url) {
  return {.url = url, .open_timeout = milliseconds(8'000), .stall_timeout = milliseconds(700)};
}

// A port of the loopback where nothing listens, or where connections are accepted and never answered.
class Port {
 public:
  explicit Port(bool listening) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(socket_, reinterpret_cast<sockaddr*>(&address), size);
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
    if (listening) ::listen(socket_, 8);
    number_ = ntohs(address.sin_port);
  }
  ~Port() { ::close(socket_); }
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;
  std::string url() const { return format("rtsp://me:hunter2@127.0.0.1:{}/live", number_); }

 private:
  int socket_;
  int number_ = 0;
};

int open_files() {
  int count = 0;
  DIR* folder = ::opendir("/proc/self/fd");
  while (::readdir(folder) != nullptr) ++count;
  ::closedir(folder);
  return count;
}

TEST_CASE("an RTSP camera delivers live pictures whose media time moves on") {
  for (const RtspTransport transport : {RtspTransport::kTcp, RtspTransport::kUdp}) {
    CAPTURE(int(transport));
    const RtspCamera camera;
    SourceOptions options = impatient(camera.url());
    options.transport = transport;
    const auto source = open_source(options, {});
    CHECK(source->live());
    CHECK_FALSE(source->duration().has_value());
    MediaTime last{-1};
    for (std::uint64_t i = 0; i < 12; ++i) {
      const auto frame = source->next(all);
      REQUIRE(frame.has_value());
      CHECK(frame->source_width == 128);
      CHECK(frame->source_height == 96);
      CHECK(frame->stamp.number == i);
      CHECK(frame->stamp.pts > last);
      CHECK(frame->stamp.pts - last < seconds(1));
      last = frame->stamp.pts;
    }
  }
}

TEST_CASE("a camera of one picture a second is seen with its first, not when the seventh has come") {
  const RtspCamera camera;
  for (const RtspReader reader : {RtspReader::kFfmpeg, RtspReader::kGstreamer}) {
    SourceOptions options = impatient(camera.url("/slow"));
    options.reader = reader;
    options.stall_timeout = seconds(8);
    const auto begun = steady_clock::now();
    CHECK(open_source(options, {})->next(all).has_value());
    CHECK(steady_clock::now() - begun < seconds(5));
  }
}

TEST_CASE("a camera that refuses TCP is read over UDP, unless TCP was asked for") {
  const RtspCamera camera;
  SourceOptions options = impatient(camera.udp_url());
  CHECK(open_source(options, {})->next(all).has_value());
  options.transport = RtspTransport::kTcp;
  CHECK_THROWS_WITH_AS(open_source(options, {}), doctest::Contains("Unsupported transport"), SourceError);
}

TEST_CASE("a camera's frames get its own clock once it has sent a report") {
  for (const RtspReader reader : {RtspReader::kFfmpeg, RtspReader::kGstreamer}) {
    const RtspCamera camera;
    SourceOptions options = impatient(camera.url());
    options.reader = reader;
    const auto source = open_source(options, {});
    FrameStamp stamp;
    const auto start = steady_clock::now();
    const Wanted reported = [&](const FrameStamp& seen) {
      stamp = seen;
      return seen.time_source == TimeSource::kRtcp || steady_clock::now() - start > seconds(20);
    };
    REQUIRE(source->next(reported).has_value());
    CHECK(stamp.time_source == TimeSource::kRtcp);
    // The camera runs on this machine and so has the same clock.
    CHECK(std::chrono::abs(stamp.wall - std::chrono::system_clock::now()) < seconds(2));
    const auto next = source->next(all);
    REQUIRE(next.has_value());
    CHECK(std::chrono::abs((next->stamp.wall - stamp.wall) - (next->stamp.pts - stamp.pts)) <
          milliseconds(30));
  }
}

TEST_CASE("a camera that freezes with the connection open has stalled, and is left at once") {
  for (const auto& [transport, reader] : {std::pair{RtspTransport::kTcp, RtspReader::kFfmpeg},
                                          {RtspTransport::kUdp, RtspReader::kFfmpeg},
                                          {RtspTransport::kTcp, RtspReader::kGstreamer},
                                          {RtspTransport::kUdp, RtspReader::kGstreamer}}) {
    CAPTURE(int(transport));
    CAPTURE(int(reader));
    const RtspCamera camera;
    SourceOptions options = impatient(camera.url());
    options.transport = transport;
    options.reader = reader;
    auto source = open_source(options, {});
    REQUIRE(source->next(all).has_value());
    camera.freeze();
    const auto frozen = steady_clock::now();
    CHECK(error_of(*source).fault() == SourceFault::kStalled);
    // Data that was received before the freeze counts.
    CHECK(steady_clock::now() - frozen < options.stall_timeout + seconds(2));
    const auto closing = steady_clock::now();
    source.reset();
    CHECK(steady_clock::now() - closing < seconds(1));
  }
}

TEST_CASE("a stop interrupts the wait for a frozen camera") {
  const RtspCamera camera;
  std::stop_source stop;
  SourceOptions options = impatient(camera.url());
  options.stall_timeout = milliseconds(60'000);
  const auto source = open_source(options, stop.get_token());
  REQUIRE(source->next(all).has_value());
  camera.freeze();
  std::jthread stopper([&] { stop.request_stop(); });
  const auto start = steady_clock::now();
  try {
    while (source->next(all)) {
    }
    FAIL("not interrupted");
  } catch (const SourceError& e) {
    CHECK(e.fault() == SourceFault::kInterrupted);
  }
  CHECK(steady_clock::now() - start < seconds(3));
}

TEST_CASE("a camera that dies ends the stream, and never in a frame") {
  RtspCamera camera;
  const auto source = open_source(impatient(camera.url()), {});
  REQUIRE(source->next(all).has_value());
  camera.kill();
  try {
    int after = 0;
    while (source->next(all)) REQUIRE(++after < 100);
    CHECK(source->live());
  } catch (const SourceError& e) {
    CHECK(e.fault() == SourceFault::kUnreachable);
  }
}

TEST_CASE("a camera that is absent, or takes the connection and says nothing, is unreachable") {
  const Port closed(false);
  const SourceError refused = error_of(impatient(closed.url()));
  CHECK(refused.fault() == SourceFault::kUnreachable);
  CHECK(std::string(refused.what()).find("hunter2") == std::string::npos);

  const Port silent(true);
  SourceOptions options = impatient(silent.url());
  options.open_timeout = milliseconds(400);
  const auto start = steady_clock::now();
  const SourceError mute = error_of(options);
  CHECK(mute.fault() == SourceFault::kUnreachable);
  CHECK(std::string(mute.what()).find("400 ms") != std::string::npos);
  CHECK(std::string(mute.what()).find("hunter2") == std::string::npos);
  CHECK(steady_clock::now() - start < seconds(3));
}

TEST_CASE("a stop interrupts the opening of a camera that says nothing") {
  const Port silent(true);
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  try {
    open_source(impatient(silent.url()), stop.get_token());
    FAIL("not interrupted");
  } catch (const SourceError& e) {
    CHECK(e.fault() == SourceFault::kInterrupted);
  }
}

TEST_CASE("video within an MPEG transport stream plays, and stops when it is asked to") {
  const RtspCamera camera;
  for (const RtspReader reader : {RtspReader::kFfmpeg, RtspReader::kGstreamer}) {
    CAPTURE(int(reader));
    SourceOptions options{.url = camera.url("/transport"), .reader = reader};
    const auto source = open_source(options, {});
    CHECK(source->live());
    std::optional<Frame> last;
    for (int i = 0; i < 20; ++i) {
      auto frame = source->next(all);
      REQUIRE(frame.has_value());
      CHECK(frame->source_width == 128);
      if (last) CHECK(frame->stamp.pts > last->stamp.pts);
      last = std::move(frame);
    }
    CHECK(last->stamp.pts < seconds(5));
  }
}

TEST_CASE("a password of any characters opens the camera, a wrong one is told apart") {
  const std::string password = "p@:/#%[]!s w";
  for (const char* method : {"digest", "basic"}) {
    CAPTURE(method);
    const RtspCamera camera(0, {"admin", password, method});
    SourceOptions options = impatient(camera.url());
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

FeedOptions feed_of(const std::string& name, const std::string& url) {
  FeedOptions options;
  options.stream = name;
  options.source = impatient(url);
  options.samplings = {{.count = 1, .span = milliseconds(0), .stride = milliseconds(200)}};
  options.image_size = 28;
  options.retry = {.first = milliseconds(100), .longest = milliseconds(400)};
  return options;
}

TEST_CASE("a camera that freezes disturbs no other, and comes back online when it thaws") {
  const RtspCamera first;
  const RtspCamera second;
  FeedLog first_log;
  FeedLog second_log;
  Feed first_feed(feed_of("first", first.url()), first_log.on_clip(), first_log.on_report());
  Feed second_feed(feed_of("second", second.url()), second_log.on_clip(), second_log.on_report());
  REQUIRE(first_log.wait_for(FeedState::kOnline));
  REQUIRE(second_log.wait_for(FeedState::kOnline));
  first.freeze();
  REQUIRE(first_log.wait_for(FeedState::kReconnecting));
  const std::uint64_t seen = second_feed.frames_seen();
  REQUIRE(second_log.wait_for_clips(second_log.clips().size() + 4));
  CHECK(second_feed.frames_seen() > seen);
  CHECK(second_log.states() == std::vector{FeedState::kConnecting, FeedState::kOnline});
  first.thaw();
  CHECK(first_log.wait_for(FeedState::kOnline, 2));
  CHECK(first_log.states()[2] == FeedState::kStalled);
}

TEST_CASE("a camera that dies and is started again comes back online") {
  RtspCamera camera;
  FeedLog log;
  Feed feed(feed_of("door", camera.url()), log.on_clip(), log.on_report());
  REQUIRE(log.wait_for(FeedState::kOnline));
  camera.kill();
  REQUIRE(log.wait_for(FeedState::kReconnecting, 2));
  const RtspCamera again(camera.port());
  CHECK(log.wait_for(FeedState::kOnline, 2));
}

TEST_CASE("a feed of a frozen camera is removed at once") {
  const RtspCamera camera;
  FeedLog log;
  steady_clock::time_point start;
  {
    FeedOptions options = feed_of("door", camera.url());
    options.source.stall_timeout = milliseconds(60'000);
    Feed feed(options, log.on_clip(), log.on_report());
    REQUIRE(log.wait_for(FeedState::kOnline));
    camera.freeze();
    start = steady_clock::now();
  }
  CHECK(steady_clock::now() - start < seconds(2));
  CHECK(log.states().back() == FeedState::kRemoved);
}

TEST_CASE("reconnecting leaves no file open") {
  const Port closed(false);
  FeedLog log;
  Feed feed(feed_of("door", closed.url()), log.on_clip(), log.on_report());
  REQUIRE(log.wait_for(FeedState::kReconnecting, 2));
  const int before = open_files();
  REQUIRE(log.wait_for(FeedState::kReconnecting, 6));
  CHECK(open_files() <= before + 1);  // an attempt may be under way
}

}  // namespace
}  // namespace palisade
