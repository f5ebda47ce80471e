#include "service/settings/settings_rules.h"

#include <doctest/doctest.h>

#include <algorithm>

using namespace palisade;
using namespace std::chrono_literals;

namespace {

Settings with_rules(const std::string& rules) {
  return parse_settings(
      "streams:\n"
      "  - name: gate\n"
      "    url: rtsp://camera/x\n"
      "    tasks:\n"
      "      - {task: question, name: person, question: \"is somebody there?\"}\n"
      "      - {task: question, name: again, question: \"is it a person?\", when: demand}\n"
      "    rules:\n" +
          rules +
          "  - name: yard\n"
          "    url: rtsp://camera/y\n"
          "    tasks: [{task: caption}]\n",
      "f.yaml");
}

std::string rule_problems_of(const std::string& rules) {
  try {
    with_rules(rules);
  } catch (const SettingsError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("rules arrive with all they say, and the frames they stand on are kept exact") {
  const Settings settings = with_rules(R"(      - name: intruder
        task: person
        above: 0.9
        below: 0.4
        of: 2 of 3
        hold: 5s
        cooldown: 1m
        update_every: 30s
        quiet: [{from: "22:00", to: "06:30", zone: Europe/Berlin, days: [sat, sun]}]
        re_ask: {task: again, above: 0.7, within: 15s, wait: false}
        severity: critical
        text: "{stream}: {text}"
      - name: both
        when:
          - {task: person}
          - {stream: yard, task: caption, says: [car, red van], absent: true}
        fresh: 20s
)");
  REQUIRE(settings.rules.size() == 2);
  const RuleSettings& one = settings.rules[0];
  CHECK(one.stream == "gate");
  CHECK(one.when ==
        std::vector<RuleCondition>{
            {.stream = "gate", .task = "person", .above = 0.9, .below = 0.4, .enough = 2, .last = 3}});
  CHECK(one.hold == 5s);
  CHECK(one.cooldown == 1min);
  CHECK(one.update_every == 30s);
  REQUIRE(one.quiet.size() == 1);
  CHECK(one.quiet[0] == QuietHours{.from_minute = 22 * 60,
                                   .to_minute = 6 * 60 + 30,
                                   .days = {true, false, false, false, false, false, true},
                                   .zone = "Europe/Berlin"});
  REQUIRE(one.re_ask);
  CHECK(one.re_ask->condition.task == "again");
  CHECK(one.re_ask->condition.above == 0.7);
  CHECK(one.re_ask->within == 15s);
  CHECK_FALSE(one.re_ask->waits);
  CHECK(one.severity == "critical");
  const RuleSettings& both = settings.rules[1];
  REQUIRE(both.when.size() == 2);
  CHECK(both.when[1] ==
        RuleCondition{.stream = "yard", .task = "caption", .says = {"car", "red van"}, .absent = true});
  CHECK(both.fresh == 20s);
  CHECK(both.text == "{rule} on {stream}: {text}");
  for (const StreamSettings& stream : settings.streams) {
    for (const TaskSettings& task : stream.tasks) CHECK(task.keep_frames == FrameStorage::kExact);
  }
}

TEST_CASE("a rule's faults are told with their place and remedy") {
  const std::pair<const char*, const char*> cases[] = {
      {"      - {name: a, task: persn}\n", "did you mean 'person'"},
      {"      - {name: a}\n", "add 'task:'"},
      {"      - {task: person}\n", "a rule without name"},
      {"      - {name: A b, task: person}\n", "not 'A b'"},
      {"      - {name: a, task: person}\n      - {name: a, task: person}\n", "a second rule 'a'"},
      {"      - {name: a, stream: barn, task: person}\n", "no stream 'barn'"},
      {"      - {name: a, task: person, of: 3 of 2}\n", "'2 of 3'"},
      {"      - {name: a, task: person, of: 1 of 101}\n", "'2 of 3'"},
      {"      - {name: a, task: person, above: 0.3, below: 0.5}\n", "below is at most above"},
      {"      - {name: a, task: person, above: 1.5}\n", "0 to 1"},
      {"      - {name: a, task: person, says: [x], sees: car}\n", "give one of them"},
      {"      - {name: a, task: person, says: []}\n", "1 to 64 words"},
      {"      - {name: a, task: person, when: [{task: person}]}\n", "belongs into the conditions"},
      {"      - {name: a, when: []}\n", "1 to 8 conditions"},
      {"      - {name: a, any: []}\n", "any is a list of 1 to 8 conditions"},
      {"      - {name: a, any: {task: person}}\n", "any"},
      {"      - {name: a, any: [{task: person}], when: [{task: person}]}\n", "give one of both"},
      {"      - {name: a, task: person, any: [{task: person}]}\n", "conditions of 'any'"},
      {"      - {name: a, task: person, quiet: [{from: '22:60', to: '06:00'}]}\n", "a time of day"},
      {"      - {name: a, task: person, quiet: [{from: '22:00'}]}\n", "without 'to'"},
      {"      - {name: a, task: person, quiet: [{from: '22:00', to: '06:00', zone: Mars/Base}]}\n",
       "no time zone"},
      {"      - {name: a, task: person, quiet: [{from: '22:00', to: '06:00', days: [noday]}]}\n",
       "not 'noday'"},
      {"      - {name: a, task: person, severity: loud}\n", "not 'loud'"},
      {"      - {name: a, task: person, text: '{nme}'}\n", "no other braces"},
      {"      - {name: a, task: person, re_ask: {task: nobody}}\n", "no task 'nobody'"},
      {"      - {name: a, task: person, hodl: 5s}\n", "hold"},
      {"      []\n", "rules is a list"},
  };
  for (const auto& [rules, said] : cases) {
    CAPTURE(rules);
    const std::string problems = rule_problems_of(rules);
    CHECK(problems.find(said) != std::string::npos);
    CHECK(problems.starts_with("f.yaml:"));
  }
}
