#include "service/http/stream_settings.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "base/format.h"
#include "service/http/access.h"
#include "service/settings/settings.h"
#include "service/settings/written_json.h"

using namespace palisade;

namespace {

const Json kCamera = {{"name", "gate"},
                      {"url", "rtsp://ann:secret@cam.example:554/live?key=1"},
                      {"username", "bob"},
                      {"password", "hidden"},
                      {"tasks", {{{"task", "caption"}, {"adapter", "/models/a"}}}}};

Json edited(const char* key, const Json& value) {
  Json json = shown_settings(kCamera);
  json[key] = value;
  return merged_settings(std::move(json), kCamera);
}

std::vector<std::string> faults(const Json& merged, const HttpHolder& holder = {}) {
  std::vector<std::string> pointers;
  for (const HttpProblem& problem : settings_faults(merged, kCamera, holder))
    pointers.push_back(problem.pointer);
  return pointers;
}

}  // namespace

TEST_CASE("an editor sees no secret and keeps them all") {
  const Json shown = shown_settings(kCamera);
  const std::string text = shown.dump();
  for (const char* const secret : {"secret", "hidden", "key=1"})
    CHECK(text.find(secret) == std::string::npos);
  CHECK(merged_settings(shown, kCamera) == kCamera);
  CHECK(edited("tasks", Json::array())["password"] == "hidden");
  CHECK(edited("password", "new")["password"] == "new");
}

TEST_CASE("secrets go to no other server and to no other user") {
  for (const char* const url :
       {"rtsp://evil.example/live", "rtsp://cam.example:1/live", "rtsps://cam.example:554/",
        "rtsp://cam.example:554@evil.example/", "rtsp://evil.example/@cam.example:554/", ""})
    CHECK_FALSE(edited("url", url).contains("password"));
  CHECK_FALSE(edited("username", "eve").contains("password"));
  CHECK(edited("url", "rtsp://cam.example:554/other")["password"] == "hidden");
}

TEST_CASE("who edits through the API names no file, no pipeline and no stream that he may not see") {
  CHECK(faults(kCamera).empty());  // the adapter stands there already
  CHECK(faults(edited("url", "/etc/passwd")) == std::vector<std::string>{"/url"});
  CHECK(faults(edited("url", "gst: videotestsrc")) == std::vector<std::string>{"/url"});
  CHECK(faults(edited("tasks", {{{"task", "caption"}, {"adapter", "/models/b"}}})) ==
        std::vector<std::string>{"/tasks/0/adapter"});
  CHECK(faults(edited("password_file", "/etc/shadow")) == std::vector<std::string>{"/password_file"});
  const Json pair = edited("tasks", {{{"task", "pair"}, {"against", {{"stream", "yard"}}}}});
  CHECK(faults(pair).empty());
  CHECK(faults(pair, {.name = "x", .scope = HttpScope::kEdit, .streams = {"gate"}}) ==
        std::vector<std::string>{"/tasks/0/against/stream"});
  // A file's secret is for the address it was written for.
  Json now = kCamera;
  now.erase("password");
  now["password_file"] = "/run/secret";
  Json moved = now;
  moved["url"] = "rtsp://evil.example/";
  CHECK(settings_faults(now, now, {}).empty());
  CHECK(settings_faults(moved, now, {}).size() == 1);
}

TEST_CASE("a problem's line is the pointer of the value that begins there") {
  const Json settings = {{"name", "gate"},
                         {"masks", Json::array()},
                         {"tasks", {{{"task", "caption"}, {"every", "1x"}}, {{"task", "nothing"}}}},
                         {"url", 3}};
  const std::string text = settings_text(settings);
  std::vector<std::string> pointers;
  for (int line = 1; line <= std::ranges::count(text, '\n'); ++line)
    pointers.push_back(pointer_at(settings, line));
  CHECK(pointers == std::vector<std::string>{"", "/masks", "/name", "/tasks", "/tasks/0", "/tasks/0/every",
                                             "/tasks/0/task", "/tasks/0", "/tasks/1", "/tasks/1/task",
                                             "/tasks/1", "/tasks", "/url", ""});
  const HttpProblem problem = problem_of(settings, "/a:b/gate.yaml:6:13: every is a time: 5s");
  CHECK(problem.pointer == "/tasks/0/every");
  CHECK(problem.message == "every is a time: 5s");
  CHECK(problem_of(settings, "nothing: of the kind").message == "nothing: of the kind");
}

TEST_CASE("with the HTTP API, to which cameras are added, there may be none at first") {
  for (const char* none : {"", "streams: []\n"}) {
    CHECK(parse_settings(format("http: {{}}\n{}", none), "f.yaml").streams.empty());
    CHECK_THROWS_AS(parse_settings(none, "f.yaml"), Error);
  }
}

TEST_CASE("an entry of a configuration is the same stream when it is written as JSON") {
  const std::string head = "http: {}\nstreams:\n";
  const std::string entry =
      "  - {name: a, url: 'rtsp://h/1', username: \"007\", password: no, priority: high, paused: true,\n"
      "     masks: [[[0, 0], [1, 0], [0.5, 1]]], tasks: [{task: caption, frames: 1, every: 2s}]}\n";
  const StreamSettings written = parse_settings(head + entry, "x").streams.at(0);
  const Json json = Json::parse(written.written.json);
  CHECK(json["username"] == "007");
  CHECK(json["password"] == "no");
  CHECK(json["paused"] == true);
  CHECK(json["tasks"][0]["frames"] == 1);
  const StreamSettings again = parse_settings(head + "  - " + json.dump() + "\n", "x").streams.at(0);
  CHECK(again == written);
  StreamSettings in_file = parse_settings("http: {}\n", "x", {{"y", settings_text(json)}}).streams.at(0);
  CHECK(in_file.source.networks == private_networks());  // of what is written over HTTP alone
  in_file.source.networks.clear();
  CHECK(in_file == written);
}
