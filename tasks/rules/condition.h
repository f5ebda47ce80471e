#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "tasks/rules/rule_settings.h"

namespace palisade {

// An answer as rules see it.
struct RuleAnswer {
  std::string id;
  std::string stream;
  std::string task;  // the last word of its topic
  WallTime time{};
  Json data;  // of the event
};

// The value of an answer, 0 to 1; nothing where it says nothing of the condition.
std::optional<double> value_of(const RuleCondition& condition, const Json& data);

// A condition and the answers it was told of. A pure state machine: no clock, no thread.
class ConditionState {
 public:
  explicit ConditionState(RuleCondition condition) : condition_(std::move(condition)) {}

  // Whether the answer was one of the condition's task with a value.
  bool take(const RuleAnswer& answer);
  bool met() const { return met_; }
  double value() const { return value_; }
  bool fresh(WallTime now, std::chrono::milliseconds limit) const;
  // The answers that meet it, of those last seen; oldest first.
  std::vector<std::string> evidence() const;
  const std::string& text() const { return text_; }  // of the newest answer
  // As if nothing had been answered.
  void forget();
  // As after answers that met it, whose ids are not known any more.
  void assume_met(WallTime time);
  const RuleCondition& condition() const { return condition_; }

 private:
  struct Seen {
    std::string id;
    double value = 0;
  };
  const RuleCondition condition_;
  std::deque<Seen> seen_;  // the last `condition_.last`
  bool met_ = false;
  double value_ = 0;
  std::string text_;
  std::optional<WallTime> time_;
};

}  // namespace palisade
