#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tasks/rules/rule.h"

namespace palisade {

// A task that is to be asked on demand.
struct TaskAsked {
  std::string stream;
  std::string task;
};

struct RuleBookOutcome {
  std::vector<Alert> alerts;
  std::vector<TaskAsked> asked;
};

// All rules of a service. Pure, as Rule is.
class RuleBook {
 public:
  explicit RuleBook(std::vector<RuleSettings> rules = {});

  // Rules that stay as they were go on where they are.
  void change(std::vector<RuleSettings> rules);
  RuleBookOutcome take(const RuleAnswer& answer);
  // Lets the rule of an alert go on where it left off.
  void restore(const Alert& last);
  bool empty() const { return rules_.empty(); }

 private:
  std::vector<Rule> rules_;
};

// An answer of a published event, whole; its task is data.name, or data.task where it has no name of its own.
// Nothing where it is another kind of event. Throws Error where it is none at all.
std::optional<RuleAnswer> rule_answer_of(const Json& event);
// An alert likewise.
std::optional<Alert> alert_of(const Json& event);

}  // namespace palisade
