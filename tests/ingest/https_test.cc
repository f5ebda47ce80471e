#include <doctest/doctest.h>

#include <chrono>
#include <string>

#include "base/format.h"
#include "ingest/open_source.h"
#include "ingest/source/source.h"
#include "tests/ingest/http_server.h"
#include "tests/ingest/https_server.h"
#include "tests/ingest/read_source.h"
#include "tests/ingest/test_files.h"

namespace palisade {
namespace {

using test::all;
using test::Certificate;
using test::error_of;
using test::golden;
using test::HttpServer;
using test::HttpsServer;
using test::response;
using test::TestFolder;
using test::text_of;

std::string film() {
  return response("200 OK", "Content-Type: video/mp2t\r\n", text_of(golden("clips/wrap.ts")));
}

TEST_CASE("a certificate that cannot be believed is told by its fault, with both remedies") {
  const struct {
    Certificate certificate;
    const char* cause;
  } cases[] = {
      {{}, "signed by itself"},
      {{.by_authority = true}, "an authority that is not known here"},
  };
  for (const auto& one : cases) {
    CAPTURE(one.cause);
    const HttpsServer server(one.certificate, film());
    const SourceError error = error_of({.url = server.url("/film.ts?token=hunter2")});
    const std::string text = error.what();
    CAPTURE(text);
    CHECK(error.fault() == SourceFault::kUnreachable);
    for (const char* part : {one.cause, "tls_ca:", "tls_verify: false"})
      CHECK(text.find(part) != std::string::npos);
    CHECK(text.find("hunter2") == std::string::npos);
    CHECK(open_source({.url = server.url("/film.ts"), .tls_verify = false}, {})->next(all).has_value());
  }
}

TEST_CASE("a certificate that is believed but has expired, is not valid yet or has another name is told so") {
  const struct {
    Certificate certificate;
    const char* cause;
  } cases[] = {
      {{.from = -7200, .to = -3600}, "has expired"},
      {{.from = 3600, .to = 7200}, "not valid yet"},
      {{.names = "DNS:camera.example"}, "for another host name"},
      {{.names = "IP:127.0.0.2"}, "for another host name"},
  };
  for (const auto& one : cases) {
    CAPTURE(one.cause);
    const TestFolder folder;
    const HttpsServer server(one.certificate, film());
    const std::string ca = folder.write("ca.pem", server.pem());
    const std::string text = error_of({.url = server.url("/film.ts"), .tls_ca = ca}).what();
    CAPTURE(text);
    CHECK(text.find(one.cause) != std::string::npos);
    CHECK(text.find("tls_verify: false") != std::string::npos);
    CHECK(open_source({.url = server.url("/film.ts"), .tls_verify = false}, {})->next(all).has_value());
  }
}

TEST_CASE("a certificate named in tls_ca is taken, and no other one") {
  const TestFolder folder;
  const HttpsServer server({}, film());
  const HttpsServer other({}, film());
  const std::string ca = folder.write("ca.pem", server.pem());
  CHECK(open_source({.url = server.url("/film.ts"), .tls_ca = ca}, {})->next(all).has_value());
  CHECK(std::string(error_of({.url = other.url("/film.ts"), .tls_ca = ca}).what()).find("certificate") !=
        std::string::npos);
  for (const std::string& file : {std::string("/absent.pem"), folder.write("empty.pem", "no certificate")}) {
    const SourceError error = error_of({.url = server.url("/film.ts"), .tls_ca = file});
    CHECK(std::string(error.what()).find("tls_ca:") != std::string::npos);
  }
}

TEST_CASE("https where http is spoken, and http where https is, is told") {
  const HttpsServer secure({}, film());
  const std::string http = error_of({.url = format("http://127.0.0.1:{}/x", secure.port())}).what();
  CAPTURE(http);
  CHECK(http.find("is it https?") != std::string::npos);
  // Some servers answer what they do not understand, others wait for more of it.
  for (const char* answer : {"HTTP/1.1 400 Bad Request\r\n\r\n", ""}) {
    CAPTURE(answer);
    const test::RawServer plain(answer);
    const std::string https = error_of({.url = format("https://127.0.0.1:{}/x", plain.port()),
                                        .open_timeout = std::chrono::milliseconds(800)})
                                  .what();
    CAPTURE(https);
    CHECK(https.find("http://") != std::string::npos);
    CHECK(https.find("TLS") != std::string::npos);
  }
}

}  // namespace
}  // namespace palisade
