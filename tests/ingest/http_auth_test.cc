#include <doctest/doctest.h>
#include <openssl/evp.h>

#include <array>
#include <string>

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

std::string digest_of(const std::string& algorithm, const std::string& text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), bytes.data(), &size, algorithm == "SHA-256" ? EVP_sha256() : EVP_md5(),
             nullptr);
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (unsigned i = 0; i < size; ++i) out += {kDigits[bytes[i] >> 4], kDigits[bytes[i] & 15]};
  return out;
}

// The value of a field of an Authorization header.
std::string field(const std::string& header, const std::string& name) {
  const std::size_t at = header.find(" " + name + "=");
  if (at == std::string::npos) return {};
  const std::size_t from = at + name.size() + 2;
  if (header[from] != '"') return header.substr(from, header.find_first_of(", \r", from) - from);
  return header.substr(from + 1, header.find('"', from + 1) - from - 1);
}

std::string base64(const std::string& text) {
  std::string out(4 * ((text.size() + 2) / 3), '\0');
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                  reinterpret_cast<const unsigned char*>(text.data()), int(text.size()));
  return out;
}

struct LoginCamera {
  std::string way;  // "Basic", "MD5" or "SHA-256"
  std::string username;
  std::string password;

  bool lets_in(const std::string& request) const {
    if (way == "Basic")
      return request.find("Basic " + base64(username + ":" + password) + "\r\n") != std::string::npos;
    const std::size_t at = request.find("Authorization: Digest");
    if (at == std::string::npos) return false;
    const std::string header = request.substr(at + 14);
    const std::string who = digest_of(way, username + ":cam:" + password);
    const std::string what = digest_of(way, "GET:" + field(header, "uri"));
    const std::string rest = ":n:" + field(header, "nc") + ":" + field(header, "cnonce") + ":auth:";
    return field(header, "response") == digest_of(way, who + rest + what);
  }
  std::string challenge() const {
    if (way == "Basic") return "WWW-Authenticate: Basic realm=\"cam\"\r\n";
    return "WWW-Authenticate: Digest realm=\"cam\", qop=\"auth\", nonce=\"n\", algorithm=" + way + "\r\n";
  }
};

const std::string& clip() {
  static const std::string bytes = text_of(golden("clips/wrap.ts"));
  return bytes;
}

bool gets_in(const LoginCamera& camera, const std::string& in_url, const std::string& username,
             const std::string& password) {
  const HttpServer server([&](const std::string& request, const HttpServer::Send& send) {
    send(camera.lets_in(request) ? response("200 OK", "Content-Type: video/mp2t\r\n", clip())
                                 : response("401 Unauthorized", camera.challenge()));
  });
  std::string url = server.url("/x?a=b");
  if (!in_url.empty()) url.insert(7, in_url + "@");
  try {
    return open_source({.url = url, .username = username, .password = password}, {})->next(all).has_value();
  } catch (const SourceError& e) {
    CHECK(e.fault() == SourceFault::kAuthFailed);
    return false;
  }
}

TEST_CASE("user names and passwords of any characters open a camera in every way of asking for them") {
  const char* const passwords[] = {"",     "plain", "p@ss",          "a/b", "a:b",   "#1",
                                   "100%", "what?", "m\xc3\xbcller", "a b", "\\\"'", "%41"};
  for (const char* way : {"Basic", "MD5", "SHA-256"}) {
    for (const char* password : passwords) {
      CAPTURE(std::string(way));
      CAPTURE(std::string(password));
      CHECK(gets_in({way, "admin", password}, "", "admin", password));
    }
    CHECK_FALSE(gets_in({way, "admin", "right"}, "", "admin", "wrong"));
    CHECK_FALSE(gets_in({way, "admin", "right"}, "", "admin", ""));
    CHECK(gets_in({way, "m\xc3\xa9", "pw"}, "", "m\xc3\xa9", "pw"));
  }
}

TEST_CASE("user name and password stand in the URL, encoded or as they are, and the fields come first") {
  for (const char* way : {"Basic", "SHA-256"}) {
    CAPTURE(std::string(way));
    CHECK(gets_in({way, "admin", "p@ss:w"}, "admin:p@ss:w", "", ""));
    CHECK(gets_in({way, "admin", "a/b?c#d"}, "admin:a%2Fb%3fc%23d", "", ""));
    CHECK(gets_in({way, "admin", "100%"}, "admin:100%", "", ""));
    CHECK(gets_in({way, "admin", "m\xc3\xbcller"}, "admin:m\xc3\xbcller", "", ""));
    CHECK(gets_in({way, "admin", ""}, "admin", "", ""));
    CHECK(gets_in({way, "admin", ""}, "admin:", "", ""));
    CHECK(gets_in({way, "admin", "field"}, "other:url", "admin", "field"));
  }
}

}  // namespace
}  // namespace palisade
