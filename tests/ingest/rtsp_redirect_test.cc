#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "ingest/open_source.h"
#include "ingest/rtsp/rtsp_address.h"
#include "ingest/source/source.h"
#include "tests/ingest/read_source.h"
#include "tests/ingest/rtsp_camera.h"
#include "tests/ingest/rtsp_script.h"

namespace palisade {
namespace {

using std::chrono::milliseconds;
using test::RtspRequest;
using test::RtspScript;

constexpr RtspReader kEachReader[] = {RtspReader::kFfmpeg, RtspReader::kGstreamer};
constexpr const char* kElsewhere = "127.0.0.2";
constexpr const char* kPassword = "hunter2";

SourceOptions redirect_options(const std::string& url, RtspReader reader) {
  return {.url = url,
          .username = "admin",
          .password = kPassword,
          .transport = RtspTransport::kTcp,
          .reader = reader,
          .open_timeout = milliseconds(5'000),
          .stall_timeout = milliseconds(500)};
}

bool anything_of_the_login(const std::vector<std::string>& requests) {
  return std::ranges::any_of(requests, [](const std::string& request) {
    return request.find("Authorization") != std::string::npos || request.find(kPassword) != std::string::npos;
  });
}

// Like usual_answer(), but with a login, and with a redirection of one method.
struct Redirects {
  std::string method;
  std::string status;
  std::string location;

  std::string operator()(const RtspRequest& request) const {
    if (request.method == method) return request.answer(status, "Location: " + location + "\r\n");
    if (request.method != "OPTIONS" && request.header("Authorization").empty())
      return request.answer("401 Unauthorized", "WWW-Authenticate: Basic realm=\"camera\"\r\n");
    return test::usual_answer(request);
  }
};

TEST_CASE("a camera that redirects at whatever moment gets nobody to say a word to another host") {
  for (const RtspReader reader : kEachReader) {
    for (const std::string method : {"OPTIONS", "DESCRIBE", "SETUP", "PLAY"}) {
      for (const std::string status :
           {"301 Moved", "302 Moved", "303 See Other", "305 Use Proxy", "307 Moved"}) {
        CAPTURE(int(reader));
        CAPTURE(method);
        CAPTURE(status);
        const RtspScript other(test::usual_answer, kElsewhere);
        const RtspScript camera(Redirects{method, status, other.url()});
        const SourceError error = test::error_of(redirect_options(camera.url(), reader));
        CHECK(error.fault() == SourceFault::kRefused);
        CHECK(std::string(error.what()).find("redirects to another host (127.0.0.2)") != std::string::npos);
        CHECK(std::string(error.what()).find("redirect_hosts") != std::string::npos);
        CHECK(std::string(error.what()).find(kPassword) == std::string::npos);
        CHECK(other.connections() == 0);
      }
    }
  }
}

TEST_CASE("where it is permitted a redirection is followed, and the login stays behind") {
  for (const RtspReader reader : kEachReader) {
    for (const std::string method : {"OPTIONS", "DESCRIBE", "SETUP", "PLAY"}) {
      CAPTURE(int(reader));
      CAPTURE(method);
      const RtspScript other(
          [](const RtspRequest& request) {
            return request.answer("401 Unauthorized", "WWW-Authenticate: Basic realm=\"trap\"\r\n");
          },
          kElsewhere);
      // Credentials in the target address of a redirection are not used either.
      const RtspScript camera(Redirects{method, "302 Moved", "rtsp://eve:secret@" + other.place() + "/live"});
      SourceOptions options = redirect_options(camera.url(), reader);
      options.redirect_hosts = {kElsewhere};
      const SourceError error = test::error_of(options);
      CHECK(error.fault() == SourceFault::kAuthFailed);
      CHECK(other.connections() > 0);
      CHECK_FALSE(anything_of_the_login(other.requests()));
      for (const std::string& request : other.requests()) CHECK(request.find("secret") == std::string::npos);
    }
  }
}

TEST_CASE("on the camera's own host a redirection is followed, with the login to the same port alone") {
  for (const RtspReader reader : kEachReader) {
    CAPTURE(int(reader));
    const test::RtspCamera real;
    const RtspScript camera(Redirects{"DESCRIBE", "302 Moved", real.url()});
    CHECK(open_source(redirect_options(camera.url(), reader), {})->next(test::all).has_value());
    // Credentials are sent to another path of the same server.
    const RtspScript turns([](const RtspRequest& request) {
      const bool there = request.text.find("/there") != std::string::npos;
      if (!there) return request.answer("302 Moved", "Location: /there\r\n");
      return request.answer(request.header("Authorization").empty() ? "401 Unauthorized" : "404 Not Found",
                            "WWW-Authenticate: Basic realm=\"camera\"\r\n");
    });
    const SourceError error = test::error_of(redirect_options(turns.url(), reader));
    CHECK(std::string(error.what()).find("404") != std::string::npos);
    CHECK(anything_of_the_login(turns.requests()));
  }
}

TEST_CASE("redirections in a circle, to other kinds of address and to none are named") {
  struct Case {
    std::string location, expected;
  };
  for (const RtspReader reader : kEachReader) {
    for (const Case& one : {Case{"CIRCLE", "redirects in a circle"},
                            Case{"http://127.0.0.1/x", "another kind of address (http)"},
                            Case{"file:///etc/passwd", "another kind of address (file)"},
                            Case{"rtsp://", "what is no address"}, Case{"", "does not say where"}}) {
      CAPTURE(int(reader));
      CAPTURE(one.location);
      const RtspScript* self = nullptr;
      const RtspScript camera([&](const RtspRequest& request) {
        return request.answer(
            "302 Moved",
            one.location.empty()
                ? ""
                : "Location: " + (one.location == "CIRCLE" ? self->url() : one.location) + "\r\n");
      });
      self = &camera;
      const SourceError error = test::error_of(redirect_options(camera.url(), reader));
      CHECK_MESSAGE(std::string(error.what()).find(one.expected) != std::string::npos,
                    std::string(error.what()));
    }
  }
}

TEST_CASE("neither a description nor a session makes us speak to another host") {
  for (const RtspReader reader : kEachReader) {
    CAPTURE(int(reader));
    const RtspScript other(test::usual_answer, kElsewhere);
    const int ear = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    ::inet_pton(AF_INET, kElsewhere, &address.sin_addr);
    socklen_t size = sizeof address;
    REQUIRE(::bind(ear, reinterpret_cast<sockaddr*>(&address), size) == 0);
    ::getsockname(ear, reinterpret_cast<sockaddr*>(&address), &size);
    const std::string port = std::to_string(ntohs(address.sin_port));
    const RtspScript camera([&](const RtspRequest& request) {
      if (request.method == "DESCRIBE") {
        std::string description = test::kDescription;
        for (const std::string part : {"control:*", "control:track1"})
          description.replace(description.find(part), part.size(), "control:" + other.url("/t"));
        description.replace(description.find("IP4 0.0.0.0"), 11, std::string("IP4 ") + kElsewhere);
        return request.answer(
            "200 OK", "Content-Type: application/sdp\r\nContent-Base: " + other.url() + "\r\n", description);
      }
      if (request.method == "SETUP") {
        const std::string client = request.header("Transport");
        return request.answer("200 OK", "Session: 1\r\nTransport: RTP/AVP/UDP;unicast;" +
                                            client.substr(client.find("client_port")) +
                                            ";source=" + kElsewhere + ";destination=" + kElsewhere +
                                            ";server_port=" + port + "-" + port + "\r\n");
      }
      return test::usual_answer(request);
    });
    SourceOptions options = redirect_options(camera.url(), reader);
    options.transport = RtspTransport::kUdp;
    options.open_timeout = milliseconds(1'500);
    test::error_of(options);
    CHECK(std::ranges::any_of(camera.requests(),
                              [](const std::string& text) { return text.starts_with("PLAY"); }));
    CHECK(other.connections() == 0);
    char byte = 0;
    CHECK(::recv(ear, &byte, 1, 0) < 0);
    ::close(ear);
  }
}

TEST_CASE("a camera that asks to be opened elsewhere while it plays is not followed") {
  for (const RtspReader reader : kEachReader) {
    for (const std::string method : {"REDIRECT", "ANNOUNCE"}) {
      CAPTURE(int(reader));
      CAPTURE(method);
      const RtspScript other(test::usual_answer, kElsewhere);
      const RtspScript camera([&](const RtspRequest& request) {
        std::string answer = test::usual_answer(request);
        if (request.method != "PLAY") return answer;
        return answer + method + " " + other.url() +
               " RTSP/1.0\r\nCSeq: 1\r\nSession: 1\r\nLocation: " + other.url() + "\r\n\r\n";
      });
      SourceOptions options = redirect_options(camera.url(), reader);
      options.open_timeout = milliseconds(1'000);
      test::error_of(options);
      CHECK(other.connections() == 0);
    }
  }
}

}  // namespace
}  // namespace palisade
