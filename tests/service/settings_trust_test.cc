#include "service/settings/settings_trust.h"

#include <doctest/doctest.h>

#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "base/format.h"
#include "service/settings/settings.h"

namespace palisade {
namespace {

std::vector<std::string> problems_of_stream(const std::string& lines) {
  try {
    parse_settings("streams:\n  - {name: a, " + lines + ", tasks: [{task: caption}]}\n", "f.yaml");
  } catch (const SettingsError& e) {
    return e.problems();
  }
  return {};
}

bool any_says(const std::vector<std::string>& problems, const std::string& text) {
  return std::ranges::any_of(
      problems, [&](const std::string& problem) { return problem.find(text) != std::string::npos; });
}

TEST_CASE("whom a network stream trusts arrives at its source") {
  const Settings settings = parse_settings(
      "streams:\n  - {name: a, url: 'https://camera/x', redirect_hosts: [media.local, '192.0.2.1:8443'], "
      "tls_ca: " PALISADE_SOURCE_DIR
      "/LICENSE, tasks: [{task: caption}]}\n"
      "  - {name: b, url: 'rtsps://camera/x', tls_verify: false, tasks: [{task: caption}]}\n",
      "f.yaml");
  const SourceOptions& a = settings.streams.at(0).source;
  CHECK(a.redirect_hosts == std::vector<std::string>{"media.local", "192.0.2.1:8443"});
  CHECK(a.tls_ca == PALISADE_SOURCE_DIR "/LICENSE");
  CHECK(a.tls_verify);
  CHECK_FALSE(settings.streams.at(1).source.tls_verify);
}

TEST_CASE("a setting of trust that has no meaning is a problem, with its remedy") {
  CHECK(
      any_says(problems_of_stream("url: 'http://c/x', redirect_hosts: ['http://d/']"), "HOST or HOST:PORT"));
  CHECK(any_says(problems_of_stream("url: 'http://c/x', redirect_hosts: [[d]]"), "HOST or HOST:PORT"));
  CHECK(any_says(problems_of_stream("url: 'http://c/x', redirect_hosts: ['d:99999']"), "HOST or HOST:PORT"));
  CHECK(any_says(problems_of_stream("url: street.mp4, redirect_hosts: [d]"), "redirect_hosts is for"));
  CHECK(any_says(problems_of_stream("url: street.mp4, tls_verify: false"), "tls_verify is for"));
  CHECK(any_says(problems_of_stream("url: 'rtsp://c/x', tls_verify: false"), "tls_verify is for"));
  CHECK(any_says(problems_of_stream("url: 'https://c/x', tls_ca: /absent.pem"), "cannot read /absent.pem"));
  CHECK(any_says(
      problems_of_stream("url: 'https://c/x', tls_verify: false, tls_ca: " PALISADE_SOURCE_DIR "/LICENSE"),
      "remove one of them"));
}

TEST_CASE("a file of certificates that is a pipe, a folder or none is refused without being waited for") {
  const auto pipe = std::filesystem::temp_directory_path() / format("palisade_ca{}", getpid());
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  for (const std::string& path : {pipe.string(), std::string("/"), std::string("/dev/zero"), std::string()}) {
    CAPTURE(path);
    const auto problems = problems_of_stream("url: 'https://c/x', tls_ca: '" + path + "'");
    REQUIRE(problems.size() == 1);
    CHECK(any_says(problems, "tls_ca is a PEM file of certificates"));
  }
  std::filesystem::remove(pipe);
}

}  // namespace
}  // namespace palisade
