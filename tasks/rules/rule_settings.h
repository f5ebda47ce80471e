#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "tasks/rules/quiet_hours.h"

namespace palisade {

// What one task's answers must say. An answer's value is between 0 and 1: the probability of `answer` among
// its choices, or of "yes" or "true" where `answer` is empty; the greatest confidence of a box labelled
// `sees`; or 1 where its text has one of the words of `says`, and else 0. An answer without such a value says
// nothing.
struct RuleCondition {
  std::string stream;
  std::string task;  // the last word of the topic
  std::string answer;
  std::string sees;
  std::vector<std::string> says;
  bool absent = false;  // the value counts as 1 less it: what must not be there
  // Met once `enough` of the `last` values are at least `above`; no longer once `enough` of them are at most
  // `below`.
  double above = 0.8;
  double below = 0.5;
  int enough = 1;
  int last = 1;

  bool operator==(const RuleCondition&) const = default;
};

// A second look before an alert goes out: another task of the rule's stream is asked on demand, and its next
// answer decides.
struct ReAsk {
  RuleCondition condition;
  std::chrono::milliseconds within{20'000};  // after which the alert goes out unchecked
  bool waits = true;  // else the alert goes out at once, and is confirmed or cleared by the answer

  bool operator==(const ReAsk&) const = default;
};

// How answers become an alert. All times are those of events, so that a recording gives the same alerts.
struct RuleSettings {
  std::string name;
  std::string stream;
  std::vector<RuleCondition> when;            // all of them
  bool any = false;                           // one of them is enough
  std::chrono::milliseconds hold{0};          // for how long they must be met
  std::chrono::milliseconds fresh{60'000};    // an older answer says nothing; of several conditions
  std::chrono::milliseconds cooldown{0};      // from one alert's end to the next one's beginning
  std::chrono::milliseconds update_every{0};  // while an alert lasts; 0: never
  std::vector<QuietHours> quiet;
  std::optional<ReAsk> re_ask;
  std::string severity = "warning";  // info, warning or critical
  std::string text;                  // with {stream}, {rule}, {task}, {text}, {p}, {time}

  bool operator==(const RuleSettings&) const = default;
};

}  // namespace palisade
