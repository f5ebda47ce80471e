#include "ingest/url.h"

#include <doctest/doctest.h>

#include <random>
#include <string>

namespace palisade {
namespace {

TEST_CASE("a URL is shown without its user name, password and query values") {
  CHECK(redact_url("rtsp://cam.local/live") == "rtsp://cam.local/live");
  CHECK(redact_url("rtsp://admin:secret@cam.local:554/live") == "rtsp://***@cam.local:554/live");
  CHECK(redact_url("RTSP://admin@cam/live") == "RTSP://***@cam/live");
  CHECK(redact_url("http://cam/v.mjpg?user=a&pwd=b&token") == "http://cam/v.mjpg?user=***&pwd=***&***");
  CHECK(redact_url("http://u:p@[fe80::1]:80/x") == "http://***@[fe80::1]:80/x");
  CHECK(redact_url("/videos/a@b?c=d.mp4") == "/videos/a@b?c=d.mp4");
  CHECK(redact_url("admin:secret@cam/live") == "***@cam/live");
}

TEST_CASE("a password that was not percent-encoded is hidden to its last character") {
  CHECK(redact_url("rtsp://u:p@ss@cam/x") == "rtsp://***@cam/x");
  CHECK(redact_url("rtsp://u:p/ss@cam/x") == "rtsp://***@cam/x");
  CHECK(redact_url("rtsp://u:p:ss@cam/x") == "rtsp://***@cam/x");
  // Nobody can tell these from a query with an address in it.
  CHECK(redact_url("rtsp://u:p?ss@cam/x") == "rtsp://***");
  CHECK(redact_url("http://h/p?mail=a@b&pw=x") == "http://***");
}

TEST_CASE("a pipeline is shown without the passwords of its elements") {
  CHECK(redact_url("gst:rtspsrc location=rtsp://u:p@cam/x user-id=me user-pw=\"a b\\\" c\" ! fakesink") ==
        "gst:rtspsrc location=rtsp://***@cam/x user-id=me user-pw=*** ! fakesink");
  CHECK(redact_url("gst:x user-pw = 'a b' proxy-pw=c") == "gst:x user-pw = *** proxy-pw=***");
}

TEST_CASE("a library's message is shown without URLs' credentials and without the secret itself") {
  CHECK(redact_text("open 'rtsp://u:p@h/x': failed") == "open 'rtsp://***@h/x': failed");
  CHECK(redact_text("two: http://a:b@c rtsp://d:e@f.") == "two: http://***@c rtsp://***@f.");
  CHECK(redact_text("password hunter2 refused, hunter2", "hunter2") == "password *** refused, ***");
  CHECK(redact_text("sent a%40b", "a@b") == "sent ***");
  CHECK(redact_text("nothing to hide") == "nothing to hide");
}

TEST_CASE("a random password survives no redaction") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  constexpr std::string_view kAlphabet = "abcXYZ019@:/#%[]!?&='\"\\*~ ";
  for (int i = 0; i < 3000; ++i) {
    std::string password = "s3";  // no shorter than what can be told from the rest of the text
    while (password.size() < 8) password += kAlphabet[random() % kAlphabet.size()];
    password += "z";
    CAPTURE(password);
    const std::string raw = "rtsp://admin:" + password + "@cam.example/live";
    const std::string encoded = with_credentials("rtsp://cam.example/live", "admin", password);
    CHECK(redact_url(raw).find(password) == std::string::npos);
    CHECK(redact_url(encoded) == "rtsp://***@cam.example/live");
    CHECK(redact_url("http://cam/p?pw=" + password).find(password) == std::string::npos);
    CHECK(redact_text("cannot open " + raw + ": no", password).find(password) == std::string::npos);
    CHECK(redact_text("cannot open " + encoded + ": no").find(password) == std::string::npos);
  }
}

TEST_CASE("a password of any characters goes into the URL percent-encoded") {
  CHECK(with_credentials("rtsp://cam/live", "admin", "@:/#%[]!") ==
        "rtsp://admin:%40%3A%2F%23%25%5B%5D%21@cam/live");
  CHECK(with_credentials("rtsp://old:user@cam:554/live", "a b", "") == "rtsp://a%20b@cam:554/live");
  CHECK(with_credentials("rtsp://cam/live", "", "") == "rtsp://cam/live");
  CHECK(with_credentials("/some/path", "a", "b") == "/some/path");
  CHECK(with_credentials("rtsp://cam/a@b", "u", "p") == "rtsp://u:p@cam/a@b");
  CHECK(with_credentials("rtsp://cam", "j\xc3\xbcrgen", "p") == "rtsp://j%C3%BCrgen:p@cam");
}

TEST_CASE("whatever stands before a colon counts as a scheme, unless a slash comes first") {
  CHECK(scheme_of("RTSP://cam") == "rtsp");
  CHECK(scheme_of("file:/a") == "file");
  CHECK(scheme_of("concat:/etc/hostname") == "concat");
  CHECK(scheme_of("subfile,,start,0,end,9,,:/etc/hostname") == "subfile,,start,0,end,9,,");
  CHECK(scheme_of("./a:b.mp4") == "");
  CHECK(scheme_of("/a/b.mp4") == "");
  CHECK(scheme_of("clip.mp4") == "");
  CHECK(scheme_of("") == "");
}

TEST_CASE("the host and the path of a URL are found") {
  CHECK(host_of("rtsp://u:p@Cam.Local:554/x@y") == "cam.local");
  CHECK(host_of("http://[FE80::1]:80/x") == "fe80::1");
  CHECK(host_of("rtsp:///x") == "");
  CHECK(host_of("/a/b") == "");
  CHECK(path_of("file:///a/b%20c.mp4") == "/a/b c.mp4");
  CHECK(path_of("file://localhost/a") == "/a");
  CHECK(path_of("file:a%2.mp4") == "a%2.mp4");
  CHECK(path_of("/a%20b") == "/a%20b");
}

}  // namespace
}  // namespace palisade
