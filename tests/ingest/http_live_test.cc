#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <thread>
#include <utility>

#include "base/format.h"
#include "ingest/open_source.h"
#include "ingest/source/source.h"
#include "tests/ingest/http_server.h"
#include "tests/ingest/read_source.h"
#include "tests/ingest/test_files.h"

namespace palisade {
namespace {

using std::chrono::milliseconds;
using test::all;
using test::golden;
using test::HttpServer;
using test::text_of;

// A fragmented MP4 as cameras and go2rtc send it, without a duration.
std::string fragmented() {
  return text_of(golden("clips/fragmented.mp4"));
}

TEST_CASE("an endless fragmented MP4 over HTTP is a camera, and the same with a length is a film") {
  for (const bool sized : {false, true}) {
    CAPTURE(sized);
    const std::string body = fragmented();
    const HttpServer server([&](const std::string&, const HttpServer::Send& send) {
      const std::string length = sized ? format("Content-Length: {}\r\n", body.size()) : "";
      send("HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nConnection: close\r\n" + length + "\r\n" + body);
    });
    const auto source = open_source({.url = server.url("/stream.mp4")}, {});
    CHECK(source->live() == !sized);
    CHECK(source->duration().has_value() == sized);
    while (source->next(all)) {
    }
  }
}

TEST_CASE("films without a length tell by their container that they end") {
  for (const auto& [name, live] : {std::pair("street.mp4", false),
                                   {"vp8.webm", false},
                                   {"mpeg4.avi", false},
                                   {"wrap.ts", true},
                                   {"fragmented.mp4", true}}) {
    CAPTURE(std::string(name));
    std::string body = text_of(golden(std::string("clips/") + name));
    const HttpServer server([&](const std::string&, const HttpServer::Send& send) {
      send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      send(format("{:x}\r\n{}\r\n0\r\n\r\n", body.size(), body));
    });
    const SourceOptions options{.url = server.url("/x")};
    if (std::string(name) == "street.mp4" && body.find("moov") > body.find("mdat")) {
      CHECK(std::string(test::error_of(options).what()).find("index at the end") != std::string::npos);
      continue;
    }
    const auto source = open_source(options, {});
    CHECK(source->live() == live);
    CHECK(source->next(all).has_value());
  }
}

TEST_CASE("R-09 a camera's endless MP4 that is cut anywhere is a lost connection, never unreadable") {
  const std::string body = fragmented();
  std::size_t cut = body.size();
  const HttpServer server([&](const std::string&, const HttpServer::Send& send) {
    send("HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nConnection: close\r\n\r\n" + body.substr(0, cut));
  });
  for (cut = body.size(); cut > 1'000; cut -= body.size() / 9) {
    CAPTURE(cut);
    try {
      const auto source = open_source({.url = server.url("/stream.mp4")}, {});
      while (source->next(all)) {
      }
      CHECK(source->live());
    } catch (const SourceError& e) {
      CAPTURE(std::string(e.what()));
      CHECK(e.fault() == SourceFault::kUnreachable);
    }
  }
}

TEST_CASE("what no container of a film begins with is told, with the type that the server says") {
  std::string noise(5'000, '\0');
  for (std::size_t i = 0; i < noise.size(); ++i) noise[i] = char(i * i % 251 + 1);
  const HttpServer server([&](const std::string&, const HttpServer::Send& send) {
    send("HTTP/1.1 200 OK\r\nContent-Type: application/x-odd\r\nConnection: close\r\n\r\n" + noise);
  });
  const SourceError error = test::error_of({.url = server.url("/x")});
  CHECK(error.fault() == SourceFault::kUnreadable);
  CHECK(std::string(error.what()).find("(it says application/x-odd)") != std::string::npos);
}

}  // namespace
}  // namespace palisade
