#include "ingest/source/redirect_rule.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "ingest/http/http_address.h"
#include "ingest/source/source.h"

namespace palisade {
namespace {

// The target of a redirection, or "refused".
std::string led_to(const std::string& from, const std::string& location,
                   const std::vector<std::string>& hosts = {}) {
  Credentials ignored;
  try {
    return redirected(http_address(from, ignored), location, hosts, "x").url();
  } catch (const SourceError& e) {
    CHECK(e.fault() == SourceFault::kRefused);
    return "refused";
  }
}

TEST_CASE("a redirection stays at its host, however the host is written") {
  struct RedirectCase {
    const char* location;
    const char* to;
  };
  const RedirectCase cases[] = {
      {"/b", "http://cam.local/b"},
      {"b?c=d", "http://cam.local/a/b?c=d"},
      {"?c", "http://cam.local/a/x?c"},
      {"//cam.local/b", "http://cam.local/b"},
      {"http://CAM.local/b", "http://cam.local/b"},
      {"http://cam.local./b", "http://cam.local/b"},
      {"http://cam.local:8080/b", "http://cam.local:8080/b"},
      {"https://cam.local/b", "https://cam.local/b"},
      {"http://good:word@cam.local/b", "http://cam.local/b"},
      {"/with space", "http://cam.local/with%20space"},
      {"http://evil/b", "refused"},
      {"//evil/b", "refused"},
      {"http://cam.local@evil/b", "refused"},
      {"http://cam.local:80@evil/b", "refused"},
      {"http://evil\\@cam.local/b", "refused"},
      {"http:\\\\evil/b", "refused"},
      {"/\\evil/b", "refused"},
      {"http://cam.local.evil/b", "refused"},
      {"http://cam.local%2eevil/b", "refused"},
      {"http://cam.local\t.evil/b", "refused"},
      {"http://127.0.0.1/b", "refused"},
      {"http://2130706433/b", "refused"},
      {"http://[::1]/b", "refused"},
      {"http:///b", "refused"},
      {"http://cam.local:0x50/b", "refused"},
      {"file:///etc/passwd", "refused"},
      {"tcp://cam.local:80", "refused"},
      {"rtsp://cam.local/b", "refused"},
      {"ftp://cam.local/b", "refused"},
      {"gopher://cam.local/b", "refused"},
      {"data:text/plain,x", "refused"},
      {"javascript:0", "refused"},
  };
  for (const RedirectCase& one : cases) {
    CAPTURE(one.location);
    CHECK(led_to("http://cam.local/a/x", one.location) == one.to);
  }
}

TEST_CASE("a number is one host in all its forms") {
  CHECK(led_to("http://[::1]:8080/a", "http://[0:0:0:0:0:0:0:1]/b") == "http://[::1]/b");
  CHECK(led_to("http://[2001:DB8::1]/a", "http://[2001:db8:0::1]/b") == "http://[2001:db8::1]/b");
  CHECK(led_to("http://[::1]/a", "http://[::2]/b") == "refused");
  CHECK(led_to("http://127.0.0.1/a", "http://0x7f.1/b") == "http://127.0.0.1/b");
  CHECK(led_to("http://127.0.0.1/a", "http://127.0.0.2/b") == "refused");
  CHECK(led_to("http://127.0.0.1/a", "http://[::ffff:127.0.0.1]/b") == "refused");
  CHECK(led_to("http://127.0.0.1/a", "http://localhost/b") == "refused");
}

TEST_CASE("from https nothing leads to http, not even where the host is allowed") {
  CHECK(led_to("https://cam/a", "http://cam/b") == "refused");
  CHECK(led_to("https://cam/a", "http://cdn/b", {"cdn"}) == "refused");
  CHECK(led_to("https://cam/a", "https://cdn/b", {"cdn"}) == "https://cdn/b");
}

TEST_CASE("hosts that the configuration names may be led to, with the port where one is named") {
  const std::vector<std::string> hosts = {"CDN.example", "10.0.0.2:8080", "[2001:db8::7]", "2001:db8::8"};
  CHECK(led_to("http://cam/a", "http://cdn.example./b", hosts) == "http://cdn.example/b");
  CHECK(led_to("http://cam/a", "http://cdn.example:99/b", hosts) == "http://cdn.example:99/b");
  CHECK(led_to("http://cam/a", "http://x.cdn.example/b", hosts) == "refused");
  CHECK(led_to("http://cam/a", "http://10.0.0.2:8080/b", hosts) == "http://10.0.0.2:8080/b");
  CHECK(led_to("http://cam/a", "http://10.0.0.2/b", hosts) == "refused");
  CHECK(led_to("http://cam/a", "http://[2001:db8::7]/b", hosts) == "http://[2001:db8::7]/b");
  CHECK(led_to("http://cam/a", "http://[2001:db8:0::8]:1/b", hosts) == "http://[2001:db8::8]:1/b");
}

TEST_CASE("what is no host is no entry of redirect_hosts") {
  for (const char* entry : {"a", "a.b-c_d", "a:1", "192.0.2.1", "[::1]", "[::1]:80", "::1"}) {
    CAPTURE(entry);
    CHECK(is_redirect_host(entry));
  }
  for (const char* entry :
       {"", ":80", "a:", "a:0", "a:65536", "a:b", "http://a", "a/b", "*", "a b", "[::1", "[a]", "u@a"}) {
    CAPTURE(entry);
    CHECK_FALSE(is_redirect_host(entry));
  }
}

TEST_CASE("user name and password of an address may hold any character that does not end the host's part") {
  struct RedirectCase {
    const char* url;
    const char* username;
    const char* password;
  };
  const RedirectCase cases[] = {
      {"http://me:p@ss@h/x", "me", "p@ss"},
      {"http://me:p:w@h/x", "me", "p:w"},
      {"http://me:p%40%3A%2F@h/x", "me", "p@:/"},
      {"http://me:100%@h/x", "me", "100%"},
      {"http://m\xc3\xa9:\xc3\xbc@h/x", "m\xc3\xa9", "\xc3\xbc"},
      {"http://me@h/x", "me", ""},
      {"http://me:@h/x", "me", ""},
      {"http://:pw@h/x", "", "pw"},
      {"http://h/x", "", ""},
      {"http://me:p\\w@h/x", "me", "p\\w"},
  };
  for (const RedirectCase& one : cases) {
    CAPTURE(one.url);
    Credentials credentials;
    const HttpAddress address = http_address(one.url, credentials);
    CHECK(address.url() == "http://h/x");
    CHECK(credentials == Credentials{one.username, one.password});
  }
}

TEST_CASE("a password that cuts the address short is told, with the remedy, and shown nowhere") {
  for (const char* url : {"http://me:hunter/2@h/x", "http://me:hunter?2@h/x", "http://me:hunter#2@h/x",
                          "http://me:hunter@:/#2@h/x"}) {
    CAPTURE(url);
    Credentials credentials;
    try {
      http_address(url, credentials);
      FAIL("it was taken");
    } catch (const SourceError& e) {
      CHECK(std::string(e.what()).find("give username: and password:") != std::string::npos);
      CHECK(std::string(e.what()).find("hunter") == std::string::npos);
    }
  }
}

}  // namespace
}  // namespace palisade
