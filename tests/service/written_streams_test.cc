#include "service/settings/written_streams.h"

#include <doctest/doctest.h>

#include "service/settings/settings.h"

using namespace palisade;

TEST_CASE(
    "streams that were written stand beside those of the configuration or in their place, and name their "
    "faults") {
  const std::string text = "http: {}\nstreams:\n  - {name: a, url: rtsp://x/a, tasks: [{task: caption}]}\n";
  const WrittenStream b{"/s/streams.d/b.yaml",
                        R"({"name": "b", "url": "rtsp://x/b", "tasks": [{"task": "caption"}]})"};
  const WrittenStream other{"/s/streams.d/a.yaml",
                            R"({"name": "a", "url": "rtsp://x/new", "tasks": [{"task": "caption"}]})"};
  CHECK(parse_settings(text, "f.yaml", {b}).streams.size() == 2);
  const Settings changed = parse_settings(text, "f.yaml", {other});
  REQUIRE(changed.streams.size() == 1);
  CHECK(changed.streams[0].source.url == "rtsp://x/new");
  CHECK(parse_settings("http: {}\n", "f.yaml", {b}).streams.size() == 1);
  CHECK(parse_settings("http: {}\n", "f.yaml").streams.empty());
  for (const std::string wrong :
       {"{", "[]", R"({"name": "b"})", R"({"name": "b", "url": "rtsp://x/b", "tasks": [], "odd": 1})"}) {
    CAPTURE(wrong);
    CHECK_THROWS_WITH_AS(parse_settings(text, "f.yaml", {{"/s/streams.d/b.yaml", wrong}}),
                         doctest::Contains("streams.d/b.yaml:"), SettingsError);
  }
}
