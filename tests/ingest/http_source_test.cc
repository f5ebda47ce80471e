#include <doctest/doctest.h>

#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/format.h"
#include "ingest/open_source.h"
#include "ingest/source/source.h"
#include "tests/ingest/http_server.h"
#include "tests/ingest/read_source.h"
#include "tests/ingest/test_files.h"

namespace palisade {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using test::all;
using test::error_of;
using test::golden;
using test::HttpServer;
using test::response;
using test::text_of;

TEST_CASE("a video on a web server is read to its end") {
  const std::string clip = text_of(golden("clips/wrap.ts"));
  const HttpServer server([&](const std::string&, const HttpServer::Send& send) {
    send(response("200 OK", "Content-Type: video/mp2t\r\n", clip));
  });
  const auto source = open_source({.url = server.url("/clip.ts")}, {});
  int frames = 0;
  while (source->next(all)) ++frames;
  CHECK(frames == 10);
}

TEST_CASE("a web camera's pictures are timed by their arrival") {
  const std::string picture = text_of(golden("pictures/rgb_420.jpg"));
  const HttpServer server([&](const std::string&, const HttpServer::Send& send) {
    send("HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace;boundary=cut\r\n\r\n");
    const std::string part = format("--cut\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n{}\r\n",
                                    picture.size(), picture);
    while (send(part)) std::this_thread::sleep_for(milliseconds(100));
  });
  const auto source = open_source({.url = server.url("/video.mjpg")}, {});
  CHECK(source->live());
  auto frame = source->next(all);
  REQUIRE(frame.has_value());
  CHECK(frame->source_width == 37);
  for (int i = 0; i < 3; ++i) frame = source->next(all);  // what had been read for probing
  const MediaTime start = frame->stamp.pts;
  for (int i = 0; i < 5; ++i) frame = source->next(all);
  // FFmpeg would say 5 x 40 ms.
  CHECK(frame->stamp.pts - start > milliseconds(350));
  CHECK(frame->stamp.time_source == TimeSource::kArrival);
}

TEST_CASE("a web server's refusals are told apart") {
  const std::pair<const char*, SourceFault> answers[] = {
      {"401 Unauthorized", SourceFault::kAuthFailed},
      {"403 Forbidden", SourceFault::kAuthFailed},
      {"404 Not Found", SourceFault::kUnreachable},
      {"503 Service Unavailable", SourceFault::kUnreachable},
      {"200 OK", SourceFault::kUnreadable}};
  for (const auto& [status, fault] : answers) {
    CAPTURE(std::string(status));
    const HttpServer server([status = status](const std::string&, const HttpServer::Send& send) {
      send(response(status, "WWW-Authenticate: Basic realm=\"x\"\r\n", "nothing to see here"));
    });
    CHECK(error_of({.url = server.url("/x?key=hunter2")}).fault() == fault);
  }
}

TEST_CASE("user name and password go to the web server that asks for them") {
  const std::string clip = text_of(golden("clips/wrap.ts"));
  const HttpServer server([&](const std::string& request, const HttpServer::Send& send) {
    // base64 of "me:p@:/"
    const bool known = request.find("Authorization: Basic bWU6cEA6Lw==") != std::string::npos;
    send(known ? response("200 OK", "Content-Type: video/mp2t\r\n", clip)
               : response("401 Unauthorized", "WWW-Authenticate: Basic realm=\"x\"\r\n"));
  });
  const auto source = open_source({.url = server.url("/x"), .username = "me", .password = "p@:/"}, {});
  CHECK(source->next(all).has_value());
}

TEST_CASE("a playlist on a web server is not followed") {
  const HttpServer server([&](const std::string&, const HttpServer::Send& send) {
    send(response("200 OK", "Content-Type: application/vnd.apple.mpegurl\r\n",
                  "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1.0,\n/secret.ts\n#EXT-X-ENDLIST\n"));
  });
  CHECK(error_of({.url = server.url("/list.m3u8")}).fault() == SourceFault::kUnreadable);
  for (const std::string& request : server.requests()) CHECK(request.find("secret") == std::string::npos);
}

TEST_CASE("a web server that stops sending has stalled") {
  const std::string clip = text_of(golden("clips/wrap.ts"));
  const HttpServer server([&](const std::string&, const HttpServer::Send& send) {
    send("HTTP/1.0 200 OK\r\nContent-Type: video/mp2t\r\n\r\n" + clip);
    while (send("")) std::this_thread::sleep_for(milliseconds(5));
  });
  const auto start = steady_clock::now();
  const SourceError error = error_of(
      {.url = server.url("/x"), .open_timeout = milliseconds(1'500), .stall_timeout = milliseconds(300)});
  CHECK((error.fault() == SourceFault::kStalled || error.fault() == SourceFault::kUnreachable));
  CHECK(steady_clock::now() - start < seconds(6));
}

}  // namespace
}  // namespace palisade
