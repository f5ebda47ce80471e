#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tasks/rules/alert.h"
#include "tasks/rules/condition.h"
#include "tasks/rules/rule_settings.h"

namespace palisade {

// What a rule makes of an answer.
struct RuleOutcome {
  std::vector<Alert> alerts;
  bool asks = false;  // the task of `re_ask` is to be asked now
};

// One rule and where it stands: from answers to alerts. Pure: it has no clock and no thread, its times are
// those of the answers, so that the same answers in the same order give the same alerts.
class Rule {
 public:
  explicit Rule(RuleSettings settings);

  RuleOutcome take(const RuleAnswer& answer);
  // Goes on where the rule left off: `last` is its newest alert.
  void restore(const Alert& last);
  const RuleSettings& settings() const { return settings_; }

 private:
  enum class Stage {
    kQuiet,     // nothing is wrong
    kChecking,  // conditions are met, and the second look has been asked for
    kRaised,
  };
  // Whether all conditions are met, or one where one is enough.
  bool all_met(WallTime now) const;
  bool is_over() const;
  bool held(WallTime now) const;
  bool may_begin(WallTime now) const;
  // The least of the conditions' values; the greatest where one is enough.
  double value() const;
  // The condition whose answer an alert speaks of.
  const ConditionState& spoken_of() const;
  std::vector<std::string> evidence() const;
  Alert alert_of(AlertChange change, const RuleAnswer& answer, std::vector<std::string> its_evidence) const;
  void follow(const RuleAnswer& answer, RuleOutcome& outcome);
  void begin(const RuleAnswer& answer, RuleOutcome& outcome);
  void raise(const RuleAnswer& answer, std::vector<std::string> its_evidence, RuleOutcome& outcome);
  void end(AlertChange change, const RuleAnswer& answer, RuleOutcome& outcome);
  void take_check(const RuleAnswer& answer, RuleOutcome& outcome);
  void check_is_over(AlertCheck check, const RuleAnswer& answer, RuleOutcome& outcome);
  void dismiss();

  const RuleSettings settings_;
  std::vector<ConditionState> conditions_;
  Stage stage_ = Stage::kQuiet;
  std::optional<WallTime> met_since_;
  std::optional<WallTime> asked_at_;  // the second look, where it is not answered yet
  AlertCheck check_ = AlertCheck::kNone;
  std::string id_;  // of the alert
  WallTime since_{};
  WallTime told_{};
  std::optional<WallTime> ended_;
};

// `text` of a rule with its placeholders filled in; nothing where it has one that there is not.
std::optional<std::string> alert_text(const std::string& text, const RuleSettings& rule,
                                      const std::string& task, const std::string& answer, double p,
                                      WallTime time);

}  // namespace palisade
