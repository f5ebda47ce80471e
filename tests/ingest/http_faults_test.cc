#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include "base/format.h"
#include "ingest/http/http_body.h"
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

// Checks that a message names the address, the cause and a remedy, and has no programmer's terms.
void check_told(const SourceError& error, const std::string& url, const std::string& cause) {
  const std::string text = error.what();
  CAPTURE(text);
  CHECK(text.starts_with(url + ": "));
  CHECK(text.find(cause) != std::string::npos);
  CHECK((text.find('?') != std::string::npos || text.rfind(": ") > url.size() + 1));
  for (const char* raw : {"Input/output", "errno", "Error number", "CURLE", "AVERROR", "curl", "(null)"})
    CHECK(text.find(raw) == std::string::npos);
}

TEST_CASE("a server's refusals are named by their cause, with a remedy") {
  const struct {
    const char* status;
    const char* headers;
    SourceFault fault;
    const char* cause;
  } cases[] = {
      {"204 No Content", "", SourceFault::kUnreadable, "nothing to send (204)"},
      {"300 Multiple", "", SourceFault::kUnreachable, "without saying where (300)"},
      {"302 Found", "", SourceFault::kUnreachable, "without saying where (302)"},
      {"400 Bad Request", "", SourceFault::kUnreachable, "(400)"},
      {"401 Unauthorized", "WWW-Authenticate: Basic realm=\"x\"\r\n", SourceFault::kAuthFailed,
       "give username:"},
      {"401 Unauthorized", "WWW-Authenticate: Digest realm=\"x\", nonce=\"n\", algorithm=SHA-512-256\r\n",
       SourceFault::kAuthFailed, "Digest algorithm=SHA-512-256"},
      {"401 Unauthorized", "WWW-Authenticate: Negotiate\r\nWWW-Authenticate: NTLM\r\n",
       SourceFault::kAuthFailed, "Negotiate, NTLM"},
      {"401 Unauthorized", "WWW-Authenticate: Bearer realm=\"x\"\r\n", SourceFault::kAuthFailed, "Bearer"},
      {"401 Unauthorized", "", SourceFault::kAuthFailed, "give username:"},
      {"403 Forbidden", "", SourceFault::kAuthFailed, "(403)"},
      {"404 Not Found", "", SourceFault::kUnreachable, "nothing at this path (404)"},
      {"405 No", "", SourceFault::kUnreachable, "(405)"},
      {"407 Proxy", "", SourceFault::kUnreachable, "a proxy asks for a password (407)"},
      {"410 Gone", "", SourceFault::kUnreachable, "(410)"},
      {"418 Teapot", "", SourceFault::kUnreachable, "refuses the request (418)"},
      {"429 Slow", "", SourceFault::kUnreachable, "asked too often (429)"},
      {"500 Oops", "", SourceFault::kUnreachable, "a fault of its own (500)"},
      {"501 Not", "", SourceFault::kUnreachable, "(501)"},
      {"503 Busy", "", SourceFault::kUnreachable, "(503)"},
      {"504 Slow", "", SourceFault::kUnreachable, "(504)"},
      {"599 Odd", "", SourceFault::kUnreachable, "(599)"},
      {"200 OK", "Content-Encoding: gzip\r\n", SourceFault::kUnreadable, "compressed"},
      {"200 OK", "Transfer-Encoding: gzip, chunked\r\n", SourceFault::kUnreadable, ""},
  };
  for (const auto& one : cases) {
    CAPTURE(one.status);
    CAPTURE(one.headers);
    const HttpServer server([&](const std::string&, const HttpServer::Send& send) {
      send(response(one.status, one.headers, "some words"));
    });
    const SourceError error = error_of({.url = server.url("/x")});
    CHECK(error.fault() == one.fault);
    check_told(error, server.url("/x"), one.cause);
  }
}

TEST_CASE("a user name and password that are refused are told apart from those that are missing") {
  const HttpServer server([](const std::string&, const HttpServer::Send& send) {
    send(response("401 Unauthorized", "WWW-Authenticate: Basic realm=\"x\"\r\n"));
  });
  const SourceError error = error_of({.url = server.url("/x"), .username = "me", .password = "hunter2"});
  check_told(error, server.url("/x"), "refuses this user name and password (401)");
  CHECK(std::string(error.what()).find("hunter2") == std::string::npos);
}

TEST_CASE("what is no web server is told") {
  for (const char* answer :
       {"RTSP/1.0 400 Bad\r\n\r\n", "220 welcome\r\n", "\x15\x03\x01\x02", "hello", ""}) {
    CAPTURE(answer);
    const HttpServer server([&](const std::string&, const HttpServer::Send& send) { send(answer); });
    const SourceError error = error_of({.url = server.url("/x")});
    CHECK(error.fault() == SourceFault::kUnreachable);
    check_told(error, server.url("/x"), "is its port right, or is it https?");
  }
}

TEST_CASE("a closed port and an unknown name are told") {
  int port = 0;
  {
    const HttpServer gone([](const std::string&, const HttpServer::Send&) {});
    port = gone.port();
  }
  const std::string url = format("http://127.0.0.1:{}/x", port);
  const SourceError refused = error_of({.url = url});
  CHECK(refused.fault() == SourceFault::kUnreachable);
  check_told(refused, url, "refuses the connection");

  HttpBody unknown({.url = "http://nobody.invalid/x"}, {}, [](const std::string&) {
    return Lookup{.failure = "no such host is known: is its name right?"};
  });
  try {
    unknown.open(steady_clock::now() + seconds(10));
    FAIL("it was found");
  } catch (const SourceError& e) {
    CHECK(e.fault() == SourceFault::kUnreachable);
    check_told(e, "http://nobody.invalid/x", "no such host");
  }
}

TEST_CASE(
    "a server that sends headers without an end, or lets us wait, costs no more than the time to open") {
  const char* const pieces[] = {"X-More: and more\r\n", "HTTP/1.1 100 Continue\r\n\r\n", ""};
  for (const char* piece : pieces) {
    CAPTURE(piece);
    const HttpServer server([&](const std::string&, const HttpServer::Send& send) {
      send("HTTP/1.1 200 OK\r\n");
      std::string many;
      for (int i = 0; i < 1000; ++i) many += piece;
      while (send(many)) std::this_thread::sleep_for(milliseconds(1));
    });
    const auto start = steady_clock::now();
    const SourceError error = error_of({.url = server.url("/x"), .open_timeout = milliseconds(700)});
    CHECK(error.fault() != SourceFault::kInterrupted);
    check_told(error, server.url("/x"), *piece == '\0' ? "no answer within 700 ms" : "");
    CHECK(steady_clock::now() - start < seconds(20));
  }
}

TEST_CASE("a stop ends every wait: for the name, the connection, the answer, the picture") {
  for (const char* sent :
       {"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\n\r\nG"}) {
    CAPTURE(sent);
    std::binary_semaphore asked{0};
    const HttpServer server([&](const std::string&, const HttpServer::Send& send) {
      send(sent);
      asked.release();
      while (send("")) std::this_thread::sleep_for(milliseconds(5));
    });
    std::stop_source stop;
    std::jthread stopper([&] {
      asked.acquire();
      stop.request_stop();
    });
    try {
      open_source({.url = server.url("/x"), .open_timeout = std::chrono::minutes(5)}, stop.get_token());
      FAIL("it was opened");
    } catch (const SourceError& e) {
      CHECK(e.fault() == SourceFault::kInterrupted);
    }
  }
}

// A resolver that blocks until it is released.
struct HangingLookup {
  std::binary_semaphore asked{0};
  std::binary_semaphore released{0};
};

Resolve hangs(const std::shared_ptr<HangingLookup>& lookup) {
  return [lookup](const std::string&) {
    lookup->asked.release();
    lookup->released.acquire();
    return Lookup{};
  };
}

TEST_CASE("a lookup that hangs holds up neither a stop nor the time to open") {
  std::stop_source stop;
  const auto too_long = std::make_shared<HangingLookup>();
  HttpBody late({.url = "http://camera.invalid/x"}, stop.get_token(), hangs(too_long));
  CHECK_THROWS_AS(late.open(steady_clock::now() + milliseconds(50)), SourceError);

  const auto stopped = std::make_shared<HangingLookup>();
  HttpBody stream({.url = "http://camera.invalid/x"}, stop.get_token(), hangs(stopped));
  std::jthread stopper([&] {
    stopped->asked.acquire();
    stop.request_stop();
  });
  try {
    stream.open(steady_clock::now() + std::chrono::minutes(5));
    FAIL("it was opened");
  } catch (const SourceError& e) {
    CHECK(e.fault() == SourceFault::kInterrupted);
  }
  too_long->released.release();
  stopped->released.release();
}

// A resolver whose first answer is the camera's address and whose later ones are of the internal network.
TEST_CASE(
    "a name that changes its meaning leads nowhere else: every request goes to the address found first") {
  const std::string film = text_of(golden("clips/street.mp4"));
  const HttpServer camera([&](const std::string& request, const HttpServer::Send& send) {
    if (request.starts_with("GET /x")) return void(send(response("302 Found", "Location: /film\r\n")));
    test::send_part(request, film, send, 4'000);
  });
  int asked = 0;
  HttpBody stream(
      {.url = format("http://camera.invalid:{}/x", camera.port())}, {},
      [&](const std::string&) { return Lookup{.addresses = {++asked == 1 ? "127.0.0.1" : "127.0.0.2"}}; });
  const auto until = steady_clock::now() + seconds(20);
  stream.open(until);
  const auto all_of_it = stream.read_all(1u << 20, until);
  REQUIRE(all_of_it.has_value());
  CHECK(all_of_it->size() == film.size());
  CHECK(asked == 1);
  CHECK(camera.requests().size() > 3);
}

TEST_CASE("a film whose connection breaks goes on where it broke, as long as it is the same film") {
  const std::string film = text_of(golden("clips/wrap.ts"));
  const HttpServer server([&](const std::string& request, const HttpServer::Send& send) {
    test::send_part(request, film, send, 3'000);
  });
  const auto source = open_source({.url = server.url("/x.ts")}, {});
  int frames = 0;
  while (source->next(all)) ++frames;
  CHECK(frames == 10);

  int asked = 0;
  const HttpServer changes([&](const std::string& request, const HttpServer::Send& send) {
    test::send_part(request, ++asked == 1 ? film : film + film, send, 3'000);
  });
  CHECK(std::string(error_of({.url = changes.url("/x.ts")}).what()).find("changed while it was read") !=
        std::string::npos);
}

TEST_CASE("a film whose connection breaks where no parts are given is lost, not at its end") {
  const std::string film = text_of(golden("clips/wrap.ts"));
  const HttpServer server([&](const std::string&, const HttpServer::Send& send) {
    send(format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", film.size(), film.substr(0, 9'000)));
  });
  const SourceError error = error_of({.url = server.url("/x.ts")});
  CHECK(error.fault() == SourceFault::kUnreachable);
  check_told(error, server.url("/x.ts"), "connection was lost");
}

TEST_CASE("a server that says that it gives parts, and does not, is told") {
  const std::string film = text_of(golden("clips/no_index.mp4"));
  for (const char* answer : {"200 OK", "206 Partial"}) {
    int asked = 0;
    const HttpServer server([&](const std::string&, const HttpServer::Send& send) {
      const std::string range =
          std::string(answer).starts_with("206") ? "Content-Range: bytes 0-1/9999999\r\n" : "";
      send(std::string("HTTP/1.1 ") + (++asked == 1 ? "200 OK" : answer) + "\r\nAccept-Ranges: bytes\r\n" +
           range + "Content-Length: 9999999\r\nConnection: close\r\n\r\n" + film);
    });
    const SourceError error = error_of({.url = server.url("/x.mp4")});
    CHECK(error.fault() == SourceFault::kUnreadable);
    CHECK(std::string(error.what()).find("Input/output") == std::string::npos);
  }
}

TEST_CASE("no proxy, no file of passwords and no cookie of a server is used") {
  const HttpServer trap(
      [](const std::string&, const HttpServer::Send& send) { send(response("200 OK", "")); });
  for (const char* name : {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"})
    ::setenv(name, trap.url("").c_str(), 1);
  const std::string film = text_of(golden("clips/wrap.ts"));
  int asked = 0;
  const HttpServer server([&](const std::string& request, const HttpServer::Send& send) {
    CHECK(request.find("ookie") == std::string::npos);
    CHECK(request.find("Proxy") == std::string::npos);
    CHECK(request.find("Accept-Encoding") == std::string::npos);
    send(++asked == 1 ? response("302 Found", "Location: /film\r\nSet-Cookie: a=b\r\n")
                      : response("200 OK", "Set-Cookie: a=b\r\n", film));
  });
  CHECK(open_source({.url = server.url("/x")}, {})->next(all).has_value());
  CHECK(trap.requests().empty());
  for (const char* name : {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"}) ::unsetenv(name);
}

}  // namespace
}  // namespace palisade
