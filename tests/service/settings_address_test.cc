#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "service/settings/settings.h"

using namespace palisade;

namespace {

std::vector<std::string> address_problems(const std::string& url) {
  try {
    parse_settings("streams:\n  - name: a\n    url: '" + url + "'\n    tasks: [{task: caption}]\n", "f.yaml");
  } catch (const SettingsError& error) {
    return error.problems();
  }
  return {};
}

bool has(const std::vector<std::string>& problems, const std::string& words) {
  for (const std::string& problem : problems) {
    if (problem.find("3:10") != std::string::npos && problem.find(words) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("an address that is not read, or may be read in two ways, is a problem before anything opens it") {
  for (const std::string url : {"rtmp://h/x", "srt://h:1", "udp://h:1", "concat:a|b", "RTMP://h/x"})
    CHECK_MESSAGE(has(address_problems(url), "are not read; give a file"), url);
  CHECK(has(address_problems("rtsp://admin:12/hunter@cam.local/x"), "username:, password:"));
  CHECK_FALSE(has(address_problems("rtsp://admin:12/hunter@cam.local/x"), "hunter"));
  for (const std::string url : {"2026-11-30T10:00:00.mp4", "RTSP://cam/x", "C:x.mp4", "rtsp://admin:@cam/x"})
    CHECK_MESSAGE(address_problems(url).empty(), url);
}

TEST_CASE("the simulated street is the film that ships, again and again") {
  const Settings settings =
      parse_settings("streams:\n  - name: a\n    url: 'street:'\n    tasks: [{task: caption}]\n", "f.yaml");
  const StreamSettings& street = settings.streams.at(0);
  CHECK(street.loop);
  CHECK(std::filesystem::is_regular_file(street.source.url.substr(std::string("street:").size())));
}
