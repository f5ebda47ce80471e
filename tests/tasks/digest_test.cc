#include "tasks/digest.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "base/format.h"
#include "base/time_text.h"

using namespace palisade;

namespace {

Json event_at(int minute, const std::string& type, Json data, const std::string& id) {
  return {{"type", "palisade." + type + ".v1"},
          {"id", id},
          {"subject", "gate"},
          {"time", format("2026-11-23T09:{:02}:00.000Z", minute)},
          {"data", std::move(data)}};
}

Json alert_data(const std::string& change) {
  return {{"alert", "A1"}, {"change", change}, {"severity", "warning"}, {"text", "somebody"}};
}

}  // namespace

TEST_CASE("a digest groups and counts what was said, and names the events that said it") {
  Digest digest;
  const std::string caption = "palisade/v1/gate/caption", rule = "palisade/v1/gate/rule/intruder";
  digest.take("palisade/v1/gate/state", event_at(0, "state", {{"state", "online"}}, "s"));
  digest.take(caption, event_at(1, "answer", {{"text", "An empty street."}}, "a"));
  digest.take(caption, event_at(2, "answer", {{"text", "a red car"}}, "b"));
  digest.take(rule, event_at(2, "alert", alert_data("raised"), "r"));
  digest.take(caption, event_at(3, "answer", {{"text", "an empty street"}}, "c"));
  digest.take("palisade/v1/service/heartbeat", event_at(3, "heartbeat", Json::object(), "h"));
  digest.take(rule, event_at(4, "alert", alert_data("cleared"), "q"));
  const auto entries = digest.entries();
  REQUIRE(entries.size() == 4);
  CHECK(entries[0].kind == DigestEntry::Kind::kAlert);
  CHECK(entries[0].ids == std::vector<std::string>{"r", "q"});
  CHECK(entries[0].over);
  CHECK(entries[0].count == 1);
  CHECK(time_text(entries[0].last) == "2026-11-23T09:04:00.000Z");
  CHECK(entries[1].text == "An empty street.");
  CHECK(entries[1].count == 2);
  CHECK(entries[1].ids == std::vector<std::string>{"a", "c"});
  CHECK(time_text(entries[1].first) == "2026-11-23T09:01:00.000Z");
  CHECK(entries[2].text == "a red car");
  CHECK(entries[3].text == "online");
  CHECK(digest.answers() == 3);
}

TEST_CASE("a day of one answer takes no more memory than its ids may") {
  Digest digest;
  for (int i = 0; i < 3000; ++i)
    digest.take("palisade/v1/gate/caption",
                event_at(i % 60, "answer", {{"text", "an empty street"}}, format("{}", i)));
  const auto entries = digest.entries();
  REQUIRE(entries.size() == 1);
  CHECK(entries[0].count == 3000);
  CHECK(entries[0].ids.size() == kMaxDigestIds);
}

TEST_CASE("what is no event is refused") {
  Digest digest;
  for (const Json& event : {Json(7), Json::object(), event_at(1, "answer", {{"text", 7}}, "a"),
                            event_at(1, "alert", Json::object(), "a")})
    CHECK_THROWS_AS(digest.take("palisade/v1/gate/caption", event), Error);
}
