#include "tasks/rules/rule.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/format.h"
#include "base/time_text.h"
#include "tasks/rules/rule_book.h"

using namespace palisade;
using namespace std::chrono_literals;

namespace {

const WallTime kBegin = *time_of("2026-11-23T09:00:00Z");  // a Monday

RuleAnswer person(int second, double p, const std::string& task = "person",
                  const std::string& stream = "gate") {
  return {.id = format("{}-{:04}", task, second),
          .stream = stream,
          .task = task,
          .time = kBegin + std::chrono::seconds(second),
          .data = {{"text", p >= 0.5 ? "yes" : "no"},
                   {"choices", {{{"text", "yes"}, {"p", p}}, {{"text", "no"}, {"p", 1 - p}}}}}};
}

RuleSettings intruder() {
  return {.name = "intruder",
          .stream = "gate",
          .when = {{.stream = "gate", .task = "person"}},
          .text = "{rule} at {stream}: {text} ({p})"};
}

// Probabilities of one answer a second; what comes of them: "3 raised", each second and change.
std::string story(RuleSettings settings, const std::vector<double>& values) {
  Rule rule(std::move(settings));
  std::string told;
  for (int second = 0; second < int(values.size()); ++second) {
    for (const Alert& alert : rule.take(person(second, values[std::size_t(second)])).alerts)
      told += format("{}{} {}", told.empty() ? "" : ", ", second, name_of(alert.change));
  }
  return told;
}

}  // namespace

TEST_CASE("rules as a table: answers in, alerts out") {
  struct Case {
    std::string what;
    std::function<void(RuleSettings&)> set;
    std::vector<double> values;
    std::string told;
  };
  const Case cases[] = {
      {"nothing", [](RuleSettings&) {}, {0.1, 0.7, 0.79}, ""},
      {"hysteresis", [](RuleSettings&) {}, {0.8, 0.6, 0.9, 0.5, 0.6, 0.9}, "0 raised, 3 cleared, 5 raised"},
      {"once", [](RuleSettings&) {}, {0.9, 0.9, 0.9, 0.9}, "0 raised"},
      {"M of N",
       [](RuleSettings& rule) { rule.when[0].enough = 2, rule.when[0].last = 3; },
       {0.9, 0.1, 0.9, 0.1, 0.1, 0.9},
       "2 raised, 3 cleared"},
      {"M of N, too far apart",
       [](RuleSettings& rule) { rule.when[0].enough = 2, rule.when[0].last = 3; },
       {0.9, 0.1, 0.1, 0.9, 0.1},
       ""},
      {"hold", [](RuleSettings& rule) { rule.hold = 2s; }, {0.9, 0.9, 0.1, 0.9, 0.9, 0.9}, "5 raised"},
      {"cooldown, while which nothing begins",
       [](RuleSettings& rule) { rule.cooldown = 3s; },
       {0.9, 0.1, 0.9, 0.9, 0.9, 0.1},
       "0 raised, 1 cleared, 4 raised, 5 cleared"},
      {"absent",
       [](RuleSettings& rule) { rule.when[0].absent = true; },
       {0.9, 0.1, 0.9},
       "1 raised, 2 cleared"},
      {"updates",
       [](RuleSettings& rule) { rule.update_every = 2s; },
       {0.9, 0.9, 0.9, 0.9, 0.9, 0.1},
       "0 raised, 2 updated, 4 updated, 5 cleared"},
      {"another answer", [](RuleSettings& rule) { rule.when[0].answer = "no"; }, {0.9, 0.1}, "1 raised"},
      {"quiet hours: the alert begins when they end",
       [](RuleSettings& rule) {
         rule.quiet = {{.from_minute = 8 * 60, .to_minute = 9 * 60},
                       {.from_minute = 9 * 60, .to_minute = 9 * 60 + 1}};
       },
       std::vector<double>(62, 0.9), "60 raised"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.what);
    RuleSettings settings = intruder();
    one.set(settings);
    CHECK(story(settings, one.values) == one.told);
  }
}

TEST_CASE("an alert says what it stands on, and its later events have its id") {
  RuleSettings settings = intruder();
  settings.when[0].enough = 2;
  settings.when[0].last = 3;
  Rule rule(settings);
  CHECK(rule.take(person(0, 0.9)).alerts.empty());
  CHECK(rule.take(person(1, 0.2)).alerts.empty());
  const auto raised = rule.take(person(2, 0.93)).alerts;
  REQUIRE(raised.size() == 1);
  CHECK(raised[0].evidence == std::vector<std::string>{"person-0000", "person-0002"});
  CHECK(raised[0].id == "person-0000");
  CHECK(raised[0].text == "intruder at gate: yes (0.93)");
  CHECK(raised[0].p == doctest::Approx(0.93));
  const auto cleared = rule.take(person(3, 0.1)).alerts;
  REQUIRE(cleared.size() == 1);
  CHECK(cleared[0].change == AlertChange::kCleared);
  CHECK(cleared[0].id == "person-0000");
  CHECK(cleared[0].since == raised[0].time);
}

TEST_CASE("a second look decides before an alert goes out") {
  RuleSettings settings = intruder();
  settings.re_ask = ReAsk{.condition = {.stream = "gate", .task = "again", .above = 0.7}, .within = 10s};
  {
    Rule rule(settings);
    RuleOutcome outcome = rule.take(person(0, 0.9));
    CHECK(outcome.asks);
    CHECK(outcome.alerts.empty());
    CHECK_FALSE(rule.take(person(1, 0.9)).asks);  // once
    outcome = rule.take(person(2, 0.8, "again"));
    REQUIRE(outcome.alerts.size() == 1);
    CHECK(outcome.alerts[0].check == AlertCheck::kPassed);
    CHECK(outcome.alerts[0].evidence.back() == "again-0002");
  }
  {
    Rule rule(settings);
    rule.take(person(0, 0.9));
    CHECK(rule.take(person(2, 0.3, "again")).alerts.empty());
    CHECK(rule.take(person(3, 0.9)).asks);  // it must be met anew, and is asked again
  }
  {
    Rule rule(settings);
    rule.take(person(0, 0.9));
    CHECK(rule.take(person(10, 0.9)).alerts.empty());
    const auto alerts = rule.take(person(11, 0.9)).alerts;
    REQUIRE(alerts.size() == 1);
    CHECK(alerts[0].check == AlertCheck::kUnanswered);
  }
  {
    Rule rule(settings);
    rule.take(person(0, 0.9));
    CHECK(rule.take(person(1, 0.1)).alerts.empty());  // over before it was looked at again
    CHECK(rule.take(person(2, 0.9, "again")).alerts.empty());
  }
}

TEST_CASE("an alert that does not wait for the second look is confirmed or cleared by it") {
  RuleSettings settings = intruder();
  settings.re_ask = ReAsk{.condition = {.stream = "gate", .task = "again", .above = 0.7}, .waits = false};
  for (const auto& [p, change] :
       {std::pair(0.9, AlertChange::kConfirmed), std::pair(0.2, AlertChange::kCleared)}) {
    Rule rule(settings);
    const RuleOutcome first = rule.take(person(0, 0.9));
    CHECK(first.asks);
    REQUIRE(first.alerts.size() == 1);
    const auto second = rule.take(person(1, p, "again")).alerts;
    REQUIRE(second.size() == 1);
    CHECK(second[0].change == change);
    CHECK(second[0].id == first.alerts[0].id);
  }
}

TEST_CASE("a rule over two streams needs both, and neither may be old") {
  RuleSettings settings = intruder();
  settings.when.push_back({.stream = "yard", .task = "car", .absent = true, .above = 0.7, .below = 0.7});
  settings.fresh = 30s;
  Rule rule(settings);
  CHECK(rule.take(person(0, 0.9)).alerts.empty());  // nothing is known of the yard
  const auto alerts = rule.take(person(1, 0.1, "car", "yard")).alerts;
  REQUIRE(alerts.size() == 1);
  CHECK(alerts[0].p == doctest::Approx(0.9));
  CHECK(alerts[0].evidence == std::vector<std::string>{"car-0001", "person-0000"});
  CHECK(rule.take(person(40, 0.9)).alerts.empty());  // the yard's answer is old: not over
  const auto cleared = rule.take(person(41, 0.8, "car", "yard")).alerts;
  REQUIRE(cleared.size() == 1);
  CHECK(cleared[0].change == AlertChange::kCleared);
}

TEST_CASE("of a rule with any one condition is enough, and it is over when none is left") {
  RuleSettings settings = intruder();
  settings.any = true;
  settings.when.push_back({.stream = "gate", .task = "story", .says = {"red person"}});
  settings.fresh = 30s;
  const auto story = [](int second, const std::string& text) {
    return RuleAnswer{.id = format("story-{:04}", second),
                      .stream = "gate",
                      .task = "story",
                      .time = kBegin + std::chrono::seconds(second),
                      .data = {{"text", text}}};
  };
  Rule rule(settings);
  CHECK(rule.take(person(0, 0.1)).alerts.empty());
  const auto alerts = rule.take(story(1, "a red person stays")).alerts;
  REQUIRE(alerts.size() == 1);
  CHECK(alerts[0].p == 1.0);
  CHECK(alerts[0].text == "intruder at gate: a red person stays (1.00)");
  CHECK(alerts[0].evidence == std::vector<std::string>{"story-0001"});
  CHECK(rule.take(person(2, 0.9)).alerts.empty());  // the same alert
  CHECK(rule.take(story(3, "an empty street")).alerts.empty());
  const auto cleared = rule.take(person(4, 0.1)).alerts;
  REQUIRE(cleared.size() == 1);
  CHECK(cleared[0].change == AlertChange::kCleared);
  CHECK(cleared[0].id == alerts[0].id);
  // What one task said long ago begins nothing.
  Rule late(settings);
  late.take(person(0, 0.1));
  REQUIRE(late.take(story(1, "a red person")).alerts.size() == 1);
  late.take(story(2, "nobody"));
  REQUIRE(late.take(person(3, 0.1)).alerts.empty());
}

TEST_CASE("values of answers: choices, calibrated ones, boxes, words, and what says nothing") {
  const Json choices = {{"choices", {{{"text", "true"}, {"p", 0.9}, {"calibrated", 0.7}}}}};
  CHECK(value_of({}, choices) == 0.7);
  CHECK_FALSE(value_of({.answer = "maybe"}, choices));
  const Json boxes = {
      {"boxes", {{{"label", "cat"}, {"confidence", 0.4}}, {{"label", "cat"}, {"confidence", 0.6}}}}};
  CHECK(value_of({.sees = "cat"}, boxes) == 0.6);
  CHECK(value_of({.sees = "dog"}, boxes) == 0.0);
  CHECK(value_of({.sees = "dog", .absent = true}, boxes) == 1.0);
  CHECK(value_of({.sees = "dog"}, {{"task", "detect"}, {"text", ""}}) == 0.0);
  CHECK_FALSE(value_of({.sees = "dog"}, {{"task", "caption"}, {"text", "a dog"}}));
  CHECK(value_of({.says = {"red car", "bus"}}, {{"text", "A Red  car drives"}}) == 1.0);
  CHECK(value_of({.says = {"red car", "bus"}}, {{"text", "a busy red cart"}}) == 0.0);
  for (const Json& hostile :
       {Json(), Json(7), Json::array(), Json{{"choices", 7}}, Json{{"choices", {7, Json{{"text", 7}}}}},
        Json{{"text", 7}}, Json{{"boxes", {7}}}, Json{{"boxes", "x"}}}) {
    for (const RuleCondition& condition :
         {RuleCondition{}, RuleCondition{.sees = "cat"}, RuleCondition{.says = {"cat"}}})
      (void)value_of(condition, hostile);
  }
}

TEST_CASE("an answer that was not asked because nothing changed counts as the last one") {
  RuleSettings settings = intruder();
  settings.hold = 2s;
  Rule rule(settings);
  rule.take(person(0, 0.9));
  RuleAnswer same = person(2, 0);
  same.data = {{"text", "yes"}, {"unchanged_since", time_text(kBegin)}};
  CHECK(rule.take(same).alerts.size() == 1);
}

TEST_CASE("a rule goes on after a restart: nothing is raised twice, and the end is told") {
  Rule before(intruder());
  const Alert raised = before.take(person(0, 0.9)).alerts.at(0);
  Rule after(intruder());
  after.restore(raised);
  CHECK(after.take(person(5, 0.9)).alerts.empty());
  const auto cleared = after.take(person(6, 0.1)).alerts;
  REQUIRE(cleared.size() == 1);
  CHECK(cleared[0].id == raised.id);
  RuleSettings rested = intruder();
  rested.cooldown = 60s;
  Rule resting(rested);
  resting.restore(cleared[0]);
  CHECK(resting.take(person(20, 0.9)).alerts.empty());
  CHECK(resting.take(person(67, 0.9)).alerts.size() == 1);
}

TEST_CASE("quiet hours follow the zone's clock, summer time and midnight") {
  const QuietHours night{.from_minute = 22 * 60, .to_minute = 6 * 60, .zone = "Europe/Berlin"};
  CHECK(night.holds(*time_of("2026-11-23T22:00:00Z")));        // 23:00
  CHECK_FALSE(night.holds(*time_of("2026-11-23T20:59:00Z")));  // 21:59
  CHECK(night.holds(*time_of("2026-11-23T21:00:00Z")));
  CHECK(night.holds(*time_of("2026-06-23T20:00:00Z")));  // 22:00 in summer
  CHECK_FALSE(night.holds(*time_of("2026-06-24T04:00:00Z")));
  // Of Monday's night alone: the small hours are Tuesday's.
  QuietHours monday = night;
  monday.days = {false, true, false, false, false, false, false};
  CHECK(monday.holds(*time_of("2026-11-23T22:00:00Z")));
  CHECK(monday.holds(*time_of("2026-11-24T03:00:00Z")));
  CHECK_FALSE(monday.holds(*time_of("2026-11-23T03:00:00Z")));
  CHECK_FALSE(monday.holds(*time_of("2026-11-24T22:00:00Z")));
  const QuietHours whole{.from_minute = 0, .to_minute = 0};
  CHECK(whole.holds(kBegin));
}

TEST_CASE("a text's placeholders are filled in, and others are refused") {
  const RuleSettings rule = intruder();
  const auto filled = [&](const std::string& text) {
    return alert_text(text, rule, "person", "{p}", 0.5, kBegin);
  };
  CHECK(filled("{stream}/{rule}/{task} {text} {p} {time}") ==
        "gate/intruder/person {p} 0.50 2026-11-23T09:00:00.000Z");
  CHECK_FALSE(filled("{name}"));
  CHECK_FALSE(filled("{"));
  CHECK_FALSE(filled("}"));
}

TEST_CASE("rules that stay as they were go on when others change") {
  RuleSettings other = intruder();
  other.name = "other";
  RuleBook rules({intruder(), other});
  CHECK(rules.take(person(0, 0.9)).alerts.size() == 2);
  other.hold = 1s;
  rules.change({other, intruder()});
  const auto alerts = rules.take(person(1, 0.1)).alerts;
  REQUIRE(alerts.size() == 1);
  CHECK(alerts[0].rule == "intruder");
}

TEST_CASE("what is no event ends in an error that says so") {
  for (const char* const text :
       {"7", "{}", R"({"type": 7})", R"({"type": "palisade.answer.v1"})",
        R"({"type": "palisade.answer.v1", "id": "x", "subject": "a", "data": {}})",
        R"({"type": "palisade.alert.v1", "subject": "a", "data": {"change": "odd"}})"}) {
    CAPTURE(text);
    CHECK_THROWS_AS((void)(rule_answer_of(Json::parse(text)), alert_of(Json::parse(text))), Error);
  }
  CHECK_FALSE(rule_answer_of(Json::parse(R"({"type": "palisade.state.v1"})")));
}
