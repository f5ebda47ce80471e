#include "base/log.h"

#include <doctest/doctest.h>

using namespace palisade;
using namespace std::chrono_literals;

TEST_CASE("control characters cannot forge a log line or steer a terminal") {
  CHECK(escaped("a\nb\rc\x1b[31m\x7f") == "a\\nb\\x0dc\\x1b[31m\\x7f");
  CHECK(escaped("\xc2\x9b") == "\\x9b");
  CHECK(escaped("stra\u00dfe \u8eca") == "stra\u00dfe \u8eca");
}

TEST_CASE("credentials in URLs and hidden secrets never pass") {
  hide_secret("c4n@ry/pass");
  CHECK(redacted("login with c4n@ry/pass failed").find("c4n@ry") == std::string::npos);
  CHECK(redacted("rtsp://admin:swordfish@camera/x").find("swordfish") == std::string::npos);
}

TEST_CASE("what happens often is told at most once a second, with how often it happened") {
  OncePerSecond often;
  const MonotonicTime start{};
  CHECK(often.count(2, start) == 2u);
  CHECK_FALSE(often.count(3, start + 500ms));
  CHECK_FALSE(often.count(1, start + 999ms));
  CHECK(often.count(1, start + 1000ms) == 5u);
  CHECK_FALSE(often.count(0, start + 5s));
}
