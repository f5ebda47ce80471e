#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "ingest/open_source.h"
#include "ingest/source/source.h"
#include "tests/ingest/http_server.h"
#include "tests/ingest/read_source.h"
#include "tests/ingest/test_files.h"

namespace palisade {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::all;
using test::error_of;
using test::golden;
using test::HttpServer;
using test::response;
using test::text_of;

std::string picture() {
  return text_of(golden("pictures/rgb_420.jpg"));
}

// A camera that sends pictures until the client disconnects.
HttpServer motion_jpeg(const std::string& headers, const std::string& part, const std::string& first = {}) {
  return HttpServer([=](const std::string&, const HttpServer::Send& send) {
    send("HTTP/1.0 200 OK\r\n" + headers + "\r\n" + first);
    while (send(part)) std::this_thread::sleep_for(milliseconds(20));
  });
}

TEST_CASE("a web camera is read, however it writes the headers of its pictures") {
  const std::string size = std::to_string(picture().size());
  const struct {
    const char* headers;
    std::string before;
    std::string after;
    std::string first;
  } cases[] = {
      {"Content-Type: multipart/x-mixed-replace; boundary=b\r\n", "--b\r\nContent-Type: image/jpeg\r\n\r\n",
       "\r\n", ""},
      {"Content-Type: multipart/x-mixed-replace; boundary=\"b c\"\r\n",
       "--b c\r\nContent-Length: " + size + "\r\n\r\n", "", ""},
      {"Content-Type: multipart/x-mixed-replace; boundary=--b\r\n", "--b\nContent-Type: image/jpg\n\n", "\n",
       ""},
      {"Content-Type: multipart/x-mixed-replace;boundary = b\r\n", "--other\r\nContent-Length: 3\r\n\r\n",
       "\r\n", ""},
      // Without a first boundary, like an ESP32-CAM.
      {"Content-Type: multipart/x-mixed-replace; boundary=b\r\n",
       "\r\n--b\r\nContent-Type: image/jpeg\r\n\r\n", "",
       "Content-Type: image/jpeg\r\nContent-Length: " + size + "\r\n\r\n" + picture()},
      {"Content-Type: multipart/mixed\r\n", "", "", "a greeting"},
      {"", "--b\r\nContent-Type: image/jpeg\r\n\r\n", "\r\n", ""},
      {"Content-Type: video/x-motion-jpeg\r\n", "", "", ""},
      {"Content-Type: image/jpeg\r\n", "", "", ""},  // in a row, though one was announced
  };
  for (const auto& one : cases) {
    CAPTURE(one.headers);
    CAPTURE(one.before);
    const HttpServer server = motion_jpeg(one.headers, one.before + picture() + one.after, one.first);
    const auto source = open_source({.url = server.url("/video")}, {});
    CHECK(source->live());
    for (int i = 0; i < 3; ++i) {
      const auto frame = source->next(all);
      REQUIRE(frame.has_value());
      CHECK(frame->source_width == 37);
      CHECK(frame->stamp.number == std::uint64_t(i));
      CHECK(frame->stamp.time_source == TimeSource::kArrival);
      CHECK(frame->stamp.keyframe);
    }
  }
}

TEST_CASE("a web camera's broken picture is passed over, and nothing but broken ones is told") {
  std::string broken = picture();
  broken[broken.find("\xff\xc0") + 4] = 9;  // bits a sample
  const std::string part = "--b\r\nContent-Type: image/jpeg\r\n\r\n";
  {
    const HttpServer server = motion_jpeg("Content-Type: multipart/x-mixed-replace; boundary=b\r\n",
                                          part + broken + part + picture());
    const auto source = open_source({.url = server.url("/video")}, {});
    std::uint64_t skipped = 0;
    for (int i = 0; i < 3; ++i) {
      CHECK(source->next(all).has_value());
      const SkippedPictures told = source->take_skipped();
      skipped += told.pictures;
      CHECK(told.last.find("/video: a picture cannot be decoded: ") != std::string::npos);
    }
    CHECK(skipped == 3);
  }
  const HttpServer server =
      motion_jpeg("Content-Type: multipart/x-mixed-replace; boundary=b\r\n", part + broken);
  const SourceError error = error_of({.url = server.url("/video"), .stall_timeout = milliseconds(500)});
  CHECK(error.fault() == SourceFault::kUnreadable);
  CHECK(std::string(error.what()).find("none of its pictures can be decoded") != std::string::npos);
}

TEST_CASE("a picture whose structure makes no sense is told, and so is one without its login") {
  const std::string part = "--b\r\nContent-Type: image/jpeg\r\n\r\n";
  const HttpServer server = motion_jpeg("Content-Type: multipart/x-mixed-replace; boundary=b\r\n",
                                        part + "\xff\xd8\xff\xe0" + std::string(60, '\0') + part + picture());
  SourceOptions options{.url = server.url("/video")};
  options.url.replace(0, 7, "http://me:hunter2@");
  const auto source = open_source(options, {});
  CHECK(source->next(all).has_value());
  const SkippedPictures told = source->take_skipped();
  CHECK(told.pictures == 1);
  CHECK(told.last.find("makes no sense") != std::string::npos);
  CHECK(told.last.find("hunter2") == std::string::npos);
}

TEST_CASE("a web camera that ends its answer is lost, not finished") {
  const HttpServer server([](const std::string&, const HttpServer::Send& send) {
    send("HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=b\r\n\r\n--b\r\n\r\n" +
         picture());
  });
  const auto source = open_source({.url = server.url("/video")}, {});
  CHECK(source->next(all).has_value());
  CHECK_FALSE(source->next(all).has_value());
  CHECK(source->live());
}

TEST_CASE("a single picture is asked for again and again, each time a frame with the time of its arrival") {
  for (const char* name : {"rgb_420.jpg", "rgb.png", "lossless.webp"}) {
    for (const bool sized : {true, false}) {
      CAPTURE(std::string(name));
      CAPTURE(sized);
      const std::string body = text_of(golden(std::string("pictures/") + name));
      const HttpServer server([&](const std::string&, const HttpServer::Send& send) {
        send(sized ? response("200 OK", "Content-Type: image/jpeg\r\n", body)
                   : "HTTP/1.0 200 OK\r\nContent-Type: image/jpeg\r\n\r\n" + body);
      });
      const auto source = open_source({.url = server.url("/s.jpg"), .frame_interval = milliseconds(20)}, {});
      CHECK(source->live());
      MediaTime last{0};
      for (int i = 0; i < 4; ++i) {
        const auto frame = source->next(all);
        REQUIRE(frame.has_value());
        CHECK(frame->stamp.time_source == TimeSource::kArrival);
        CHECK(frame->stamp.pts >= last);
        last = frame->stamp.pts;
      }
      CHECK(server.requests().size() == 4);
    }
  }
}

TEST_CASE("a single picture that is broken once is passed over, and one that stays so is told") {
  int asked = 0;
  const HttpServer server([&](const std::string&, const HttpServer::Send& send) {
    const bool good = ++asked < 4 && asked != 2;
    send(response("200 OK", "Content-Type: image/jpeg\r\n", good ? picture() : "<html>please log in</html>"));
  });
  const auto source = open_source({.url = server.url("/s.jpg"), .frame_interval = milliseconds(10)}, {});
  CHECK(source->next(all).has_value());
  CHECK(source->next(all).has_value());
  CHECK(asked == 3);
  CHECK(source->take_skipped().text().find("a picture was skipped: http://127.0.0.1:") == 0);
  CHECK(source->take_skipped().pictures == 0);
  const SourceError error = error_of(*source);
  CHECK(error.fault() == SourceFault::kUnreadable);
  CHECK(std::string(error.what()).find("a web page") != std::string::npos);
}

TEST_CASE("a single picture without an end is not gathered for ever") {
  const HttpServer server([&](const std::string&, const HttpServer::Send& send) {
    std::string endless = picture();
    endless.resize(endless.size() - 2);
    send("HTTP/1.0 200 OK\r\nContent-Type: image/jpeg\r\n\r\n" + endless);
    while (send(std::string(1 << 20, 'x'))) {
    }
  });
  CHECK(error_of({.url = server.url("/s.jpg"), .open_timeout = milliseconds(3'000)}).fault() !=
        SourceFault::kInterrupted);
}

TEST_CASE("a stop ends the wait for the next picture at once") {
  const HttpServer server([&](const std::string&, const HttpServer::Send& send) {
    send(response("200 OK", "Content-Type: image/jpeg\r\n", picture()));
  });
  std::stop_source stop;
  const auto source =
      open_source({.url = server.url("/s.jpg"), .frame_interval = std::chrono::minutes(5)}, stop.get_token());
  CHECK(source->next(all).has_value());
  std::jthread stopper([&] { stop.request_stop(); });
  CHECK(error_of(*source).fault() == SourceFault::kInterrupted);
}

TEST_CASE("a single picture is asked for as often as the closest frames of the windows need") {
  const SourceOptions options{.url = "http://h/s.jpg"};
  const auto interval = [&](const std::vector<Sampling>& samplings) {
    return decoding_for(samplings, options).frame_interval;
  };
  CHECK(interval({{.count = 1, .span = milliseconds(0), .stride = seconds(5)}}) == seconds(5));
  CHECK(interval({{.count = 16, .span = seconds(15), .stride = seconds(4)}}) == seconds(1));
  CHECK(interval({{.count = 2, .span = seconds(10), .stride = seconds(30)},
                  {.count = 1, .span = milliseconds(0), .stride = seconds(7)}}) == seconds(7));
  CHECK(interval({{.count = 16, .span = milliseconds(15), .stride = seconds(4)}}) == milliseconds(100));
  CHECK(decoding_for(std::vector<Sampling>{{}}, {.url = "folder"}).frame_interval == seconds(1));
}

}  // namespace
}  // namespace palisade
