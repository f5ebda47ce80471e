#include "ingest/rtsp/rtsp_faults.h"

#include <doctest/doctest.h>

#include <string>

#include "base/format.h"
#include "ingest/open_source.h"
#include "ingest/source/source.h"
#include "tests/ingest/read_source.h"
#include "tests/ingest/rtsp_camera.h"
#include "tests/ingest/rtsp_script.h"

namespace palisade {
namespace {

using std::chrono::milliseconds;
using test::RtspRequest;
using test::RtspScript;

constexpr RtspReader kBothReaders[] = {RtspReader::kFfmpeg, RtspReader::kGstreamer};

SourceOptions options_of(const std::string& url, RtspReader reader) {
  return {.url = url,
          .transport = RtspTransport::kTcp,
          .reader = reader,
          .open_timeout = milliseconds(3'000),
          .stall_timeout = milliseconds(500)};
}

// The error of both readers, which must be the same.
SourceError error_of_both(SourceOptions options) {
  options.reader = RtspReader::kFfmpeg;
  const SourceError ffmpeg = test::error_of(options);
  options.reader = RtspReader::kGstreamer;
  const SourceError gstreamer = test::error_of(options);
  CHECK(std::string(ffmpeg.what()) == gstreamer.what());
  CHECK(ffmpeg.fault() == gstreamer.fault());
  return ffmpeg;
}

bool says(const SourceError& error, const std::string& part) {
  return std::string(error.what()).find(part) != std::string::npos;
}

TEST_CASE("what a camera refuses is named in the same words whoever reads, with what to do about it") {
  struct Case {
    std::string method, status, headers;
    SourceFault fault;
    std::string expected;
  };
  const std::string basic = "WWW-Authenticate: Basic realm=\"x\"\r\n";
  const std::string sha = "WWW-Authenticate: Digest realm=\"x\", nonce=\"1\", algorithm=\"SHA-256\"\r\n";
  const Case cases[] = {
      {"DESCRIBE", "401 Unauthorized", basic, SourceFault::kAuthFailed,
       "asks for a user name and a password"},
      {"OPTIONS", "401 Unauthorized", basic, SourceFault::kAuthFailed, "asks for a user name and a password"},
      {"DESCRIBE", "401 Unauthorized", sha, SourceFault::kAuthFailed, "a digest with SHA-256 alone"},
      {"DESCRIBE", "401 Unauthorized", "WWW-Authenticate: Negotiate\r\n", SourceFault::kAuthFailed,
       "a login of a kind of its own"},
      {"DESCRIBE", "403 Forbidden", "", SourceFault::kAuthFailed, "403 (Forbidden): this user may not"},
      {"DESCRIBE", "404 Not Found", "", SourceFault::kUnreachable, "404 (Not Found): is the path"},
      {"DESCRIBE", "400 Bad Request", "", SourceFault::kUnreachable, "400 (Bad Request): is the path"},
      {"SETUP", "453 Not Enough Bandwidth", "", SourceFault::kUnreachable,
       "453 (Not Enough Bandwidth): has it"},
      {"SETUP", "461 Unsupported transport", "", SourceFault::kUnreadable, "461 (Unsupported transport)"},
      {"PLAY", "454 Session Not Found", "", SourceFault::kUnreachable, "454 (Session Not Found)"},
      {"PLAY", "500 Oops", "", SourceFault::kUnreachable, "500 (Oops): is something wrong"},
      {"DESCRIBE", "503 Service Unavailable", "", SourceFault::kUnreachable, "503 (Service Unavailable)"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.method);
    CAPTURE(one.status);
    const RtspScript camera([&](const RtspRequest& request) {
      if (request.method == one.method) return request.answer(one.status, one.headers);
      return test::usual_answer(request);
    });
    const SourceError error = error_of_both(options_of(camera.url(), {}));
    CHECK(error.fault() == one.fault);
    CHECK_MESSAGE(says(error, one.expected), std::string(error.what()));
  }
}

TEST_CASE("a wrong login is told from none") {
  const RtspScript camera([](const RtspRequest& request) {
    if (request.method == "OPTIONS") return test::usual_answer(request);
    return request.answer("401 Unauthorized", "WWW-Authenticate: Digest realm=\"x\", nonce=\"1\"\r\n");
  });
  SourceOptions options = options_of(camera.url(), {});
  options.username = "admin";
  options.password = "hunter2";
  const SourceError error = error_of_both(options);
  CHECK(error.fault() == SourceFault::kAuthFailed);
  CHECK(says(error, "check its user name and password"));
  CHECK_FALSE(says(error, "hunter2"));
}

TEST_CASE("who cannot even be asked is named: an unknown host, a closed port, a server of another kind") {
  const SourceError unknown = error_of_both(options_of("rtsp://no-such-camera.invalid/x", {}));
  CHECK(unknown.fault() == SourceFault::kUnreachable);
  CHECK_MESSAGE(says(unknown, "name"), std::string(unknown.what()));
  int closed = 0;
  {
    closed = RtspScript([](const RtspRequest&) { return ""; }).port();
  }
  CHECK(says(error_of_both(options_of(format("rtsp://127.0.0.1:{}/x", closed), {})),
             format("Connection refused: nothing listens at port {}", closed)));
  struct Case {
    std::string answer, expected;
  };
  for (const Case& one : {Case{"HTTP/1.1 400 Bad Request\r\n\r\n", "is a web server at port"},
                          Case{"\x15\x03\x01\x00\x02\x02\x46", "speaks TLS at port"},
                          Case{"", "closes the connection without an answer"},
                          Case{"220 smtp.example.org\r\n\r\n", "does not answer as a camera does"}}) {
    CAPTURE(one.expected);
    const RtspScript camera([&](const RtspRequest&) { return one.answer; });
    SourceOptions options = options_of(camera.url(), {});
    options.open_timeout = milliseconds(1'500);
    for (const RtspReader reader : kBothReaders) {
      options.reader = reader;
      const SourceError error = test::error_of(options);
      CHECK(error.fault() == SourceFault::kUnreachable);
      CHECK_MESSAGE(says(error, one.expected), std::string(error.what()));
    }
  }
}

TEST_CASE("a description without video, and video of an unknown kind, are named") {
  struct Case {
    std::string media, expected;
  };
  for (const Case& one :
       {Case{"m=audio 0 RTP/AVP 8\r\na=control:track1\r\na=rtpmap:8 PCMA/8000\r\n", "has no video"},
        Case{"m=video 0 RTP/AVP 96\r\na=control:track1\r\na=rtpmap:96 NEWER/90000\r\n", "NEWER"},
        Case{"", "has no video"}}) {
    CAPTURE(one.media);
    const RtspScript camera([&](const RtspRequest& request) {
      if (request.method != "DESCRIBE") return test::usual_answer(request);
      return request.answer("200 OK", "Content-Type: application/sdp\r\n",
                            "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=camera\r\nt=0 0\r\n" + one.media);
    });
    const SourceError error = error_of_both(options_of(camera.url(), {}));
    CHECK(error.fault() == SourceFault::kUnreadable);
    CHECK_MESSAGE(says(error, one.expected), std::string(error.what()));
  }
}

TEST_CASE("logins of any characters are told to the camera as they are, beside the address or in it") {
  struct Case {
    std::string username, password, in_url;  // what stands before the '@'
  };
  const Case cases[] = {
      {"admin", "", "admin:"},
      {"admin", " ", "admin:%20"},
      {"admin", "w:o?r#d/s", "admin:w:o?r#d/s"},
      {"admin", "p@ss", "admin:p@ss"},
      {"admin", "p@ss/w:o?r#d", "admin:p%40ss%2Fw%3Ao%3Fr%23d"},
      {"admin", "100%", "admin:100%"},
      {"admin", "%41", "admin:%2541"},
      {"us er", "\"quoted\"", "us%20er:%22quoted%22"},
      {"wächter", "schlüssel€", "wächter:schlüssel€"},
      {"me@example.org", "pw", "me@example.org:pw"},
      {"admin", "a&b=c;d", "admin:a&b=c;d"},
  };
  for (const Case& one : cases) {
    for (const RtspReader reader : kBothReaders) {
      for (const char* method : {"basic", "digest"}) {
        CAPTURE(one.in_url);
        CAPTURE(int(reader));
        CAPTURE(std::string(method));
        const test::RtspCamera camera(0, {one.username, one.password, method});
        SourceOptions options = options_of(camera.url(), reader);
        options.username = one.username;
        options.password = one.password;
        CHECK(open_source(options, {})->next(test::all).has_value());
        const std::string plain = camera.url();
        SourceOptions in_url = options_of(plain.substr(0, 7) + one.in_url + "@" + plain.substr(7), reader);
        CHECK(open_source(in_url, {})->next(test::all).has_value());
      }
    }
  }
}

TEST_CASE("an address that may be read in two ways, or is none, is refused with what to do") {
  for (const RtspReader reader : kBothReaders) {
    for (const char* const url : {"rtsp://admin:12/34@127.0.0.1/x", "rtsp://admin:p@ss/w@127.0.0.1/x"}) {
      const SourceError error = test::error_of(options_of(url, reader));
      CHECK(says(error, "username:, password:"));
      CHECK_FALSE(says(error, "34"));
      CHECK_FALSE(says(error, "ss/w"));
    }
    CHECK(says(test::error_of(options_of("rtsp://127.0.0.1:99999/x", reader)), "is no address of a camera"));
  }
  SourceOptions long_login = options_of("rtsp://127.0.0.1/x", RtspReader::kFfmpeg);
  long_login.username = std::string(100, 'u');
  long_login.password = std::string(100, 'p');
  CHECK(says(test::error_of(long_login), "reader: gstreamer"));
}

TEST_CASE("of several challenges one that can be answered is, whatever their order") {
  const std::string sha = "WWW-Authenticate: Digest realm=\"x\", nonce=\"1\", algorithm=SHA-256\r\n";
  const std::string md5 = "WWW-Authenticate: Digest realm=\"x\", nonce=\"2\", algorithm=md5\r\n";
  for (const std::string& challenges : {sha + md5, md5 + sha}) {
    for (const RtspReader reader : kBothReaders) {
      CAPTURE(challenges);
      CAPTURE(int(reader));
      const RtspScript camera([&](const RtspRequest& request) {
        if (request.method == "OPTIONS") return test::usual_answer(request);
        const std::string login = request.header("Authorization");
        if (login.empty()) return request.answer("401 Unauthorized", challenges);
        const bool answered = login.find("nonce=\"2\"") != std::string::npos;
        return request.answer(answered ? "404 Not Found" : "403 Forbidden");
      });
      SourceOptions options = options_of(camera.url(), reader);
      options.username = "admin";
      options.password = "pw";
      CHECK(says(test::error_of(options), "404"));
    }
  }
}

}  // namespace
}  // namespace palisade
