#include "base/redaction.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "ingest/rtsp/rtsp_address.h"
#include "ingest/source/url.h"

namespace palisade {
namespace {

constexpr std::string_view kCanary = "c4n4ry-s3cret";

bool shows(const std::string& text, std::string_view secret = kCanary) {
  return text.find(secret) != std::string::npos;
}

TEST_CASE("a URL is shown without its user name, password and query values") {
  CHECK(redact_url("rtsp://cam.local/live") == "rtsp://cam.local/live");
  CHECK(redact_url("rtsp://admin:secret@cam.local:554/live") == "rtsp://***@cam.local:554/live");
  CHECK(redact_url("RTSP://admin@cam/live") == "RTSP://***@cam/live");
  CHECK(redact_url("http://cam/v.mjpg?user=a&pwd=b&token") == "http://cam/v.mjpg?user=***&pwd=***&***");
  CHECK(redact_url("http://u:p@[fe80::1]:80/x") == "http://***@[fe80::1]:80/x");
  CHECK(redact_url("/videos/a@b?c=d.mp4") == "/videos/a@b?c=d.mp4");
  CHECK(redact_url("admin:secret@cam/live") == "***@cam/live");
  CHECK(redact_url("file:///videos/a=b.mp4") == "file:///videos/a=b.mp4");
  CHECK(redact_url("v4l2:/dev/video0") == "v4l2:/dev/video0");
}

TEST_CASE("a password that was not percent-encoded is hidden to its last character") {
  CHECK(redact_url("rtsp://u:p@ss@cam/x") == "rtsp://***@cam/x");
  CHECK(redact_url("rtsp://u:p/ss@cam/x") == "rtsp://***@cam/x");
  CHECK(redact_url("rtsp://u:p:ss@cam/x") == "rtsp://***@cam/x");
  // These cannot be told from a query that contains an address.
  CHECK(redact_url("rtsp://u:p?ss@cam/x") == "rtsp://***");
  CHECK(redact_url("http://h/p?mail=a@b&pw=x") == "http://***");
  // Cut off before the '@', or with an encoded '@': what looks like a port is not a number.
  CHECK(redact_url("rtsp://admin:c4n4ry") == "rtsp://***");
  CHECK(redact_url("rtsp://admin%3Ac4n4ry%40cam/live") == "rtsp://***");
  CHECK(redact_url("rtsp://cam:554/live") == "rtsp://cam:554/live");
}

TEST_CASE("a path keeps what leads to a camera and loses what logs in to it") {
  CHECK(redact_url("rtsp://cam/user=admin_password=x_channel=1_stream=0.sdp?real_stream") ==
        "rtsp://cam/user=***?***");
  CHECK(redact_url("rtsp://cam/live/password/x/1") == "rtsp://cam/live/password/***");
  CHECK(redact_url("rtsp://cam/admin:x/1") == "rtsp://cam/admin:***");
  CHECK(redact_url("rtsp://cam/Streaming/Channels/101") == "rtsp://cam/Streaming/Channels/101");
  CHECK(redact_url("rtsp://cam/h264/ch1/main/av_stream") == "rtsp://cam/h264/ch1/main/av_stream");
}

TEST_CASE("no form of a camera's URL shows its password, whole or in a message") {
  const std::string s(kCanary);
  for (const std::string& url :
       {"rtsp://admin:" + s + "@cam/live",
        "rtsp://:" + s + "@cam/live",
        "rtsps://admin:" + s + "@[::1]:322/live",
        "rtsp://cam/user=admin_password=" + s + "_channel=1_stream=0.sdp?real_stream",
        "rtsp://cam/user=admin&password=" + s + "&channel=1&stream=0.sdp",
        "rtsp://cam:554/user=admin;password=" + s + ";channel=1",
        "rtsp://cam/live;pwd=" + s,
        "http://cam/video?user=admin&password=" + s,
        "http://cam/video?user=admin;password=" + s,
        "http://cam/video?" + s,
        "http://cam/video#" + s,
        "http://cam/video#pw=" + s,
        "http://cam/video?a#b?" + s,
        "http://cam/video?user%3Dadmin%26password%3D" + s,
        "http://cam/user%3Dadmin_password%3D" + s,
        "http://cam/user%253Dadmin_password%253D" + s,
        "http://cam/%70assword=" + s,
        "http://cam/PASSWORD=" + s,
        "http://cam/password/" + s,
        "http://cam/pwd:" + s,
        "http://cam/login/admin:" + s + "/live",
        "rtsp:/admin:" + s + "@cam/live",
        "rtsp://admin:" + s,
        "rtsp://admin%3A" + s + "%40cam/live",
        "rtsp://cam/live?authbasic=" + s,
        "http://cam/snap.cgi?loginuse=admin&loginpas=" + s,
        "gst:rtspsrc location=rtsp://a:" + s + "@c/x user-pw=" + s + " ! fakesink",
        "gst:souphttpsrc location=http://c/x user-pw=\"" + s + "\" ! fakesink",
        "admin:" + s + "@cam/live",
        "srt://cam:9000?passphrase=" + s}) {
    CAPTURE(url);
    CHECK_FALSE(shows(redact_url(url)));
    for (const std::string& text : {url, "cannot open " + url + ": no", "'" + url + "'",
                                    "\"" + url + "\", (" + url + ")", "open=" + url + "\n"}) {
      CAPTURE(text);
      CHECK_FALSE(shows(redact_text(text)));
      // The line was cut off; without a scheme it cannot be recognised.
      const std::string cut = text.substr(0, text.find(s) + s.size());
      if (url.find(":/") != std::string::npos) CHECK_FALSE(shows(redact_text(cut)));
    }
  }
}

TEST_CASE("a library's message is shown without credentials and without the secret itself") {
  CHECK(redact_text("open 'rtsp://u:p@h/x': failed") == "open 'rtsp://***@h/x': failed");
  CHECK(redact_text("two: http://a:b@c rtsp://d:e@f.") == "two: http://***@c rtsp://***@f.");
  CHECK(redact_text("password hunter2 refused, hunter2", "hunter2") == "password *** refused, ***");
  CHECK(redact_text("sent a%40b, a@b, %61%40b", "a@b") == "sent ***, ***, ***");
  CHECK(redact_text("nothing to hide") == "nothing to hide");
  CHECK(redact_text("failed to resolve admin:hunter2@cam: no") == "failed to resolve ***@cam: no");
  CHECK(redact_text("GET /user=a_password=hunter2_channel=1 failed") == "GET /user=a_password=*** failed");
  CHECK(redact_text(R"({"user": "a", "password": "hunter2"})") == R"({"user": "a", "password": ***})");
  CHECK(redact_text("> Authorization: Basic aHVudGVyMg==\r\nHost: cam") ==
        "> Authorization: ***\r\nHost: cam");
  CHECK(redact_text("write to someone@example.org at 12:30") == "write to someone@example.org at 12:30");
}

TEST_CASE("a pipeline is shown without the passwords of its elements") {
  CHECK(redact_url("gst:rtspsrc location=rtsp://u:p@cam/x user-id=me user-pw=\"a b\\\" c\" ! fakesink") ==
        "gst:rtspsrc location=rtsp://***@cam/x user-id=me user-pw=*** ! fakesink");
  CHECK(redact_url("gst:x user-pw = 'a b' proxy-pw=c") == "gst:x user-pw = *** proxy-pw=***");
}

TEST_CASE("the secrets of a URL are found, so that they are hidden wherever a library writes them") {
  const auto holds = [](const std::string& url, const std::string& secret) {
    const auto secrets = secrets_in(url);
    return std::ranges::find(secrets, secret) != secrets.end();
  };
  CHECK(holds("rtsp://admin:p%40ss@cam/live", "p@ss"));
  CHECK(holds("rtsp://admin:p%40ss@cam/live", "p%40ss"));
  CHECK(holds("rtsp://admin:pa ss@cam/live", "pa ss"));
  CHECK(holds("--url=rtsp://admin:p@s/s@cam/live", "p@s/s"));
  CHECK(holds("rtsp://cam/user=a_password=hunter2_channel=1_stream=0.sdp", "hunter2"));
  CHECK(holds("rtsp://cam/live?user=a&pwd=hunter%32&x=1", "hunter2"));
  CHECK(holds("rtsp://cam/live?user%3Da%26pwd%3Dhunter2", "hunter2"));
  CHECK(holds("gst:rtspsrc location=rtsp://a:hunter2@c/x user-pw='a b' ! x", "a b"));
  CHECK(secrets_in("rtsp://cam:554/Streaming/Channels/101?transportmode=unicast").empty());
  CHECK(secrets_in("/videos/a:b@c.mp4").empty());
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
    const std::string encoded =
        RtspAddress{.host = "cam.example", .target = "/live", .username = "admin", .password = password}
            .url_with_credentials();
    CHECK(redact_url(raw).find(password) == std::string::npos);
    CHECK(redact_url(encoded) == "rtsp://***@cam.example/live");
    CHECK(redact_url("http://cam/p?pw=" + password).find(password) == std::string::npos);
    CHECK(redact_text("cannot open " + raw + ": no", password).find(password) == std::string::npos);
    CHECK(redact_text("cannot open " + encoded + ": no").find(password) == std::string::npos);
    const auto secrets = secrets_in(raw);
    CHECK(std::ranges::find(secrets, password) != secrets.end());
  }
}

}  // namespace
}  // namespace palisade
