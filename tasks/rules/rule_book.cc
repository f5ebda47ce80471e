#include "tasks/rules/rule_book.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/format.h"
#include "base/time_text.h"
#include "tasks/events/event.h"

namespace palisade {
namespace {

WallTime read_time(const Json& text) {
  const auto time = time_of(text.get_ref<const std::string&>());
  if (!time) throw Error(format("not an event: '{}' is no time", text.get_ref<const std::string&>()));
  return *time;
}

// Calls `read` where the event is of that kind.
template <class Read>
auto read_event(const Json& event, EventKind kind, Read&& read) -> std::optional<decltype(read())> {
  try {
    if (event.at("type").get_ref<const std::string&>() != type_of(kind)) return std::nullopt;
    return read();
  } catch (const Json::exception& error) {
    throw Error(format("not an event: {}", error.what()));
  }
}

}  // namespace

RuleBook::RuleBook(std::vector<RuleSettings> rules) {
  for (RuleSettings& rule : rules) rules_.emplace_back(std::move(rule));
}

void RuleBook::change(std::vector<RuleSettings> rules) {
  std::vector<Rule> changed;
  for (RuleSettings& rule : rules) {
    const auto same = std::ranges::find_if(rules_, [&](const Rule& one) { return one.settings() == rule; });
    changed.push_back(same == rules_.end() ? Rule(std::move(rule)) : std::move(*same));
  }
  rules_ = std::move(changed);
}

RuleBookOutcome RuleBook::take(const RuleAnswer& answer) {
  RuleBookOutcome all;
  for (Rule& rule : rules_) {
    RuleOutcome outcome = rule.take(answer);
    std::ranges::move(outcome.alerts, std::back_inserter(all.alerts));
    if (!outcome.asks) continue;
    const RuleCondition& second = rule.settings().re_ask->condition;
    all.asked.push_back({.stream = second.stream, .task = second.task});
  }
  return all;
}

void RuleBook::restore(const Alert& last) {
  for (Rule& rule : rules_) {
    if (rule.settings().stream == last.stream && rule.settings().name == last.rule) rule.restore(last);
  }
}

std::optional<RuleAnswer> rule_answer_of(const Json& event) {
  return read_event(event, EventKind::kAnswer, [&] {
    const Json& data = event.at("data");
    return RuleAnswer{.id = event.at("id").get<std::string>(),
                      .stream = event.at("subject").get<std::string>(),
                      .task = data.at(data.contains("name") ? "name" : "task").get<std::string>(),
                      .time = read_time(event.at("time")),
                      .data = data};
  });
}

std::optional<Alert> alert_of(const Json& event) {
  return read_event(event, EventKind::kAlert, [&] {
    const Json& data = event.at("data");
    const auto change = alert_change_of(data.at("change").get_ref<const std::string&>());
    if (!change) throw Error("not an event: an alert whose change is none");
    return Alert{.rule = data.at("rule").get<std::string>(),
                 .stream = event.at("subject").get<std::string>(),
                 .id = data.at("alert").get<std::string>(),
                 .change = *change,
                 .severity = data.at("severity").get<std::string>(),
                 .text = data.at("text").get<std::string>(),
                 .p = data.at("p").get<double>(),
                 .since = read_time(data.at("since")),
                 .time = read_time(event.at("time")),
                 .evidence = data.at("evidence").get<std::vector<std::string>>()};
  });
}

}  // namespace palisade
