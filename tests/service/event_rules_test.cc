#include <doctest/doctest.h>

#include <thread>

#include "base/time_text.h"
#include "service/events/event_road.h"
#include "tests/service/kept_events.h"
#include "tests/tasks/schema.h"

using namespace palisade;
using namespace std::chrono_literals;

namespace {

const WallTime kBegin = *time_of("2026-11-23T09:00:00Z");

AnswerRecord answer_at(int second, double p, const std::string& text = "yes") {
  AnswerRecord record{
      .stream = "gate",
      .task = "person",
      .clip = {},
      .answer = {.task = "question", .text = text, .finish_reason = "stop", .token_ids = {7, 8}}};
  record.clip.frames.push_back({.stamp = {.wall = kBegin + std::chrono::seconds(second)},
                                .stream = "gate",
                                .image = {2, 2, std::vector<std::uint8_t>(12, 7)}});
  record.answer.choices = {{.text = "yes", .p = p, .logprob = {}}, {.text = "no", .p = 1 - p, .logprob = {}}};
  record.answer.window = {.count = 1};
  record.answer.model = {.id = "m", .precision = "f32"};
  return record;
}

RuleSettings intruder_rule() {
  return {.name = "intruder",
          .stream = "gate",
          .when = {{.stream = "gate", .task = "person"}},
          .re_ask = ReAsk{.condition = {.stream = "gate", .task = "again"}, .waits = false},
          .text = "{rule} at {stream}"};
}

std::vector<Json> of_kind(const KeptEvents& kept, EventKind kind) {
  std::vector<Json> events;
  for (const SharedMessage& message : kept.all()) {
    if (message->kind == kind) events.push_back(parse_json(message->json, message->topic));
  }
  return events;
}

}  // namespace

TEST_CASE("alerts follow the answers that they stand on, on topics of their own, and rules ask again") {
  KeptEvents kept;
  std::vector<std::string> asked;  // the road's thread's while that runs
  {
    EventRoad road({.heartbeat = 1min,
                    .rules = {intruder_rule()},
                    .ask = [&](const TaskAsked& one) { asked.push_back(one.stream + "/" + one.task); }},
                   {&kept});
    road.publish(answer_at(0, 0.2));
    road.publish(answer_at(1, 0.9));
    road.publish(answer_at(2, 0.1));
  }
  CHECK(asked == std::vector<std::string>{"gate/again"});
  std::vector<SharedMessage> all = kept.all();
  std::erase_if(all, [](const SharedMessage& message) { return message->kind == EventKind::kHeartbeat; });
  REQUIRE(all.size() == 5);  // three answers, two alerts
  CHECK(all[2]->kind == EventKind::kAlert);
  CHECK(all[2]->topic == "palisade/v1/gate/rule/intruder");
  const auto alerts = of_kind(kept, EventKind::kAlert);
  for (const Json& alert : alerts) {
    for (const std::string& fault : schema_faults("alert", alert)) FAIL_CHECK(fault);
  }
  CHECK(alerts[0]["data"]["change"] == "raised");
  CHECK(alerts[0]["data"]["evidence"] == Json::array({all[1]->id}));
  CHECK(alerts[0]["sequence"] == sequence_text(1));
  CHECK(alerts[1]["data"]["change"] == "cleared");
  CHECK(alerts[1]["data"]["alert"] == alerts[0]["data"]["alert"]);
  CHECK(alerts[1]["time"] == "2026-11-23T09:00:02.000Z");
}

TEST_CASE("the published answers alone give the same alerts again") {
  KeptEvents kept;
  {
    EventRoad road({.heartbeat = 1min, .rules = {intruder_rule()}}, {&kept});
    for (int i = 0; i < 200; ++i) road.publish(answer_at(i, double((i * 7919) % 101) / 100));
  }
  RuleBook rules({intruder_rule()});
  std::vector<Json> again;
  for (const SharedMessage& message : kept.all()) {
    const auto answer = rule_answer_of(parse_json(message->json, message->topic));
    if (!answer) continue;
    for (const Alert& alert : rules.take(*answer).alerts) again.push_back(to_json(alert));
  }
  std::vector<Json> told;
  for (const Json& alert : of_kind(kept, EventKind::kAlert)) told.push_back(alert["data"]);
  CHECK(told.size() > 20);
  CHECK(told == again);
}

TEST_CASE("rules may change while the road runs, and go on from an earlier alert") {
  KeptEvents kept;
  {
    Alert earlier{
        .rule = "intruder", .stream = "gate", .id = "01KAV3Q7W6E5N1Y3ZC8TQ0F4HM", .severity = "warning"};
    earlier.since = earlier.time = kBegin - 10s;
    EventRoad road({.heartbeat = 1min, .rules = {intruder_rule()}, .alerts = {earlier}}, {&kept});
    road.publish(answer_at(0, 0.9));
    road.publish(answer_at(1, 0.1));
    while (of_kind(kept, EventKind::kAlert).empty()) std::this_thread::sleep_for(1ms);
    road.follow({});
    road.publish(answer_at(2, 0.9));
  }
  const auto alerts = of_kind(kept, EventKind::kAlert);
  REQUIRE(alerts.size() == 1);
  CHECK(alerts[0]["data"]["change"] == "cleared");
  CHECK(alerts[0]["data"]["alert"] == "01KAV3Q7W6E5N1Y3ZC8TQ0F4HM");
}

TEST_CASE(
    "what is personal in an answer is replaced, its tokens too, and the event says of what kind it was") {
  KeptEvents kept;
  const TextRedaction redaction({"email"}, {});
  {
    EventRoad road({.heartbeat = 1min, .treatment = {.redaction = &redaction}}, {&kept});
    AnswerRecord personal = answer_at(0, 0.9, "a sign: ann@example.org");
    personal.answer.boxes = {{.label = "sign of ann@example.org"}};
    personal.answer.malformed = {{.text = "ann@example.org", .reason = "has no location"}};
    road.publish(personal);
    road.publish(answer_at(1, 0.9, "a sign"));
  }
  const auto answers = of_kind(kept, EventKind::kAnswer);
  REQUIRE(answers.size() == 2);
  for (const Json& answer : answers) {
    for (const std::string& fault : schema_faults("answer", answer)) FAIL_CHECK(fault);
  }
  CHECK(answers[0]["data"]["text"] == "a sign: [email]");
  CHECK(answers[0]["data"]["redacted"] == Json::array({"email"}));
  CHECK(answers[0]["data"]["token_ids"].empty());
  CHECK(answers[0]["data"]["boxes"][0]["label"] == "sign of [email]");
  CHECK(answers[0]["data"]["malformed"][0]["text"] == "[email]");
  CHECK(answers[1]["data"]["token_ids"].size() == 2);
  CHECK_FALSE(answers[1]["data"].contains("redacted"));
}
