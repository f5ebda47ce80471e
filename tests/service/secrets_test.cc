// Passwords in configurations and in files that these name. tests/e2e/secrets_test.py tests the programs'
// outputs.
#include <doctest/doctest.h>

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "service/settings/secret_file.h"
#include "service/settings/settings.h"

using namespace palisade;

namespace {

std::vector<std::string> secret_problems(const std::string& text) {
  try {
    parse_settings(text, "f.yaml");
  } catch (const SettingsError& error) {
    return error.problems();
  }
  return {};
}

}  // namespace

TEST_CASE("a password stands in a file or in the configuration, and shows nowhere") {
  const auto file = std::filesystem::temp_directory_path() / "palisade_settings_test_password";
  std::ofstream(file) << "CANARY-7\nsecond line\n";
  const std::string text =
      "streams: [{name: a, url: 'rtsp://u:CANARY-8@c/x', username: u, password_file: " + file.string() +
      ", tasks: [{task: caption}]}]";
  const Settings settings = parse_settings(text, "f.yaml");
  CHECK(settings.streams.at(0).source.password == "CANARY-7");
  CHECK(summary_of(settings).find("CANARY") == std::string::npos);
  std::filesystem::remove(file);
  const auto missing = secret_problems(text);
  CHECK(missing.size() == 1);
  CHECK(missing.at(0).find("CANARY") == std::string::npos);
}

TEST_CASE("a URL stands in a file too, and what is wrong with such a file is said without a word of it") {
  const auto file = std::filesystem::temp_directory_path() / format("palisade_url_file{}", getpid());
  const auto with = [&](const std::string& content) {
    std::ofstream(file) << content;
    return "streams: [{name: a, url_file: " + file.string() + ", tasks: [{task: caption}]}]";
  };
  for (const char* const content :
       {"rtsp://u:CANARY-9@c/x", "rtsp://u:CANARY-9@c/x\n", "rtsp://u:CANARY-9@c/x\r\nmore\r\n",
        "\xef\xbb\xbfrtsp://u:CANARY-9@c/x\n"})
    CHECK(parse_settings(with(content), "f.yaml").streams.at(0).source.url == "rtsp://u:CANARY-9@c/x");
  for (const std::string& content :
       {std::string(), std::string("\nCANARY"), std::string("CANARY\0", 7), std::string(1 << 17, 'C'),
        std::string("CANARY\tx"), std::string("CANARY\rx")}) {
    const auto problems = secret_problems(with(content));
    REQUIRE(problems.size() == 1);
    CHECK(problems[0].find("CANARY") == std::string::npos);
  }
  CHECK(secret_problems("streams: [{name: a, url: /x, url_file: " + file.string() +
                        ", tasks: [{task: caption}]}]")
            .size() == 1);
  std::filesystem::remove(file);
  CHECK(secret_problems("streams: [{name: a, url_file: /nowhere, tasks: [{task: caption}]}]").size() == 1);
}

TEST_CASE("a URL that stands where something else is meant shows no password, however long it is") {
  const std::string url = "rtsp://administrator:CANARY" + std::string(40, 'x') + "@camera/live";
  const auto problems =
      secret_problems("streams: [{name: a, url: /x, pace: '" + url + "', open_timeout: '" + url + "', '" +
                      url + "': 1, tasks: [{task: caption, frames: '" + url + "'}]}]");
  CHECK(problems.size() >= 4);
  for (const std::string& problem : problems) CHECK(problem.find("CANARY") == std::string::npos);
}

TEST_CASE("a misplaced password shows in no problem") {
  const auto problems = secret_problems(R"(streams:
  - name: a
    url: rtsp://u:CANARY@c/x
    password: [CANARY]
    passwort: CANARY
    tasks: CANARY
)");
  CHECK(problems.size() >= 3);
  for (const std::string& problem : problems) CHECK(problem.find("CANARY") == std::string::npos);
}

TEST_CASE("a pipe or a folder in the place of a password file is refused and not waited for") {
  const auto pipe = std::filesystem::temp_directory_path() / format("palisade_pipe{}", getpid());
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  CHECK_THROWS_AS(read_secret_file(pipe), Error);
  CHECK_THROWS_AS(read_secret_file(pipe.parent_path()), Error);
  // This opens and fails at the first read.
  CHECK_THROWS_AS(read_secret_file("/proc/self/mem"), Error);
  std::filesystem::remove(pipe);
}

TEST_CASE("whoever holds a password leaves no core dump") {
  hide_secret("c4n4ry-of-the-core");
  rlimit limit{};
  REQUIRE(getrlimit(RLIMIT_CORE, &limit) == 0);
  CHECK(limit.rlim_cur == 0);
}
