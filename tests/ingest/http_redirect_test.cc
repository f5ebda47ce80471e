#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "ingest/open_source.h"
#include "ingest/source/source.h"
#include "tests/ingest/http_server.h"
#include "tests/ingest/read_source.h"
#include "tests/ingest/test_files.h"

namespace palisade {
namespace {

using test::all;
using test::error_of;
using test::golden;
using test::HttpServer;
using test::response;
using test::text_of;

// A second host on this machine. It records requests and serves a film to everybody.
HttpServer other_host() {
  return HttpServer(
      [film = text_of(golden("clips/wrap.ts"))](const std::string&, const HttpServer::Send& send) {
        send(response("200 OK", "Content-Type: video/mp2t\r\n", film));
      },
      "127.0.0.2");
}

HttpServer sends_to(const std::string& location, const char* status = "302 Found") {
  return HttpServer([=](const std::string&, const HttpServer::Send& send) {
    send(response(status, "Location: " + location + "\r\n"));
  });
}

SourceOptions with_password(const std::string& url) {
  return {.url = url, .username = "admin", .password = "S3cr3tPw"};
}

TEST_CASE("a camera that redirects to another host gets nothing sent there, whatever the status says") {
  for (const char* status : {"301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"}) {
    CAPTURE(std::string(status));
    const HttpServer internal = other_host();
    const HttpServer camera = sends_to(internal.url("/admin?reboot=1"), status);
    const SourceError error = error_of(with_password(camera.url("/v.mp4")));
    CHECK(error.fault() == SourceFault::kRefused);
    CHECK(std::string(error.what()).find("redirect_hosts:") != std::string::npos);
    CHECK(internal.requests().empty());
  }
}

TEST_CASE("a host of redirect_hosts is led to, without user name and password") {
  const HttpServer internal = other_host();
  const HttpServer camera = sends_to(internal.url("/film.ts?token=camera"));
  SourceOptions options = with_password(camera.url("/v.mp4"));
  options.redirect_hosts = {"127.0.0.2"};
  CHECK(open_source(options, {})->next(all).has_value());
  REQUIRE_FALSE(internal.requests().empty());
  for (const std::string& request : internal.requests()) {
    for (const char* secret : {"Authorization", "S3cr3tPw", "admin", "Referer", "Cookie"})
      CHECK(request.find(secret) == std::string::npos);
  }
}

TEST_CASE("another port of the same host is led to, without user name and password") {
  const HttpServer other_port([](const std::string&, const HttpServer::Send& send) {
    send(response("401 Unauthorized", "WWW-Authenticate: Basic realm=\"x\"\r\n"));
  });
  const HttpServer camera = sends_to(other_port.url("/film.ts"));
  const SourceError error = error_of(with_password(camera.url("/v.mp4")));
  CHECK(error.fault() == SourceFault::kAuthFailed);
  CHECK(std::string(error.what()).find("give that address instead") != std::string::npos);
  REQUIRE(other_port.requests().size() == 1);
  CHECK(other_port.requests()[0].find("Authorization") == std::string::npos);
}

TEST_CASE("a redirection in a circle ends") {
  const HttpServer camera = sends_to("/again");
  CHECK(std::string(error_of({.url = camera.url("/x")}).what()).find("in a circle") != std::string::npos);
  CHECK(camera.requests().size() <= 8);
}

// A film with its index at the end takes several requests, each of which may be redirected.
TEST_CASE("a redirection of a later request is judged like that of the first") {
  const std::string film = text_of(golden("clips/street.mp4"));
  for (int good = 1; good <= 3; ++good) {
    CAPTURE(good);
    const HttpServer internal = other_host();
    int asked = 0;
    const HttpServer camera([&](const std::string& request, const HttpServer::Send& send) {
      if (++asked > good) {
        send(response("302 Found", "Location: " + internal.url("/secret.mp4") + "\r\n"));
      } else {
        // Serves one part at a time, so that the rest is requested again.
        test::send_part(request, film, send, 4'000);
      }
    });
    const SourceError error = error_of(with_password(camera.url("/v.mp4")));
    CAPTURE(std::string(error.what()));
    CHECK(error.fault() == SourceFault::kRefused);
    CHECK(internal.requests().empty());
  }
}

TEST_CASE("from A to B and back again asks B nothing") {
  std::string back;
  const HttpServer internal(
      [&](const std::string&, const HttpServer::Send& send) {
        send(response("302 Found", "Location: " + back + "\r\n"));
      },
      "127.0.0.2");
  const HttpServer camera = sends_to(internal.url("/internal-action"));
  back = camera.url("/v.mp4");
  CHECK(error_of({.url = camera.url("/v.mp4")}).fault() == SourceFault::kRefused);
  CHECK(internal.requests().empty());
}

}  // namespace
}  // namespace palisade
