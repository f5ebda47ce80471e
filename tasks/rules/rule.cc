#include "tasks/rules/rule.h"

#include <algorithm>
#include <utility>

#include "base/format.h"
#include "base/time_text.h"

namespace palisade {
namespace {

constexpr std::size_t kMaxEvidence = 16;

void keep_ends(std::vector<std::string>& ids) {
  if (ids.size() > kMaxEvidence) ids.erase(ids.begin() + 1, ids.end() - (kMaxEvidence - 1));
}

}  // namespace

std::optional<std::string> alert_text(const std::string& text, const RuleSettings& rule,
                                      const std::string& task, const std::string& answer, double p,
                                      WallTime time) {
  const std::pair<std::string_view, std::string> known[] = {
      {"{stream}", rule.stream}, {"{rule}", rule.name},        {"{task}", task},
      {"{text}", answer},        {"{p}", format("{:.2f}", p)}, {"{time}", time_text(time)}};
  std::string filled;
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view rest = std::string_view(text).substr(at);
    const auto found =
        std::ranges::find_if(known, [&](const auto& one) { return rest.starts_with(one.first); });
    if (found != std::end(known)) {
      filled += found->second;
      at += found->first.size();
    } else if (rest.front() == '{' || rest.front() == '}') {
      return std::nullopt;
    } else {
      filled += text[at++];
    }
  }
  return filled;
}

Rule::Rule(RuleSettings settings) : settings_(std::move(settings)) {
  for (const RuleCondition& condition : settings_.when) conditions_.emplace_back(condition);
}

bool Rule::all_met(WallTime now) const {
  const bool alone = conditions_.size() == 1;
  const auto met = [&](const ConditionState& one) {
    return one.met() && (alone || one.fresh(now, settings_.fresh));
  };
  return settings_.any ? std::ranges::any_of(conditions_, met) : std::ranges::all_of(conditions_, met);
}

// A condition of another stream that has not been heard of says neither that it is over nor that it is not.
bool Rule::is_over() const {
  return settings_.any ? std::ranges::none_of(conditions_, &ConditionState::met)
                       : !std::ranges::all_of(conditions_, &ConditionState::met);
}

bool Rule::held(WallTime now) const {
  return met_since_ && now - *met_since_ >= settings_.hold;
}

bool Rule::may_begin(WallTime now) const {
  const bool rests = ended_ && now - *ended_ < settings_.cooldown;
  return !rests &&
         std::ranges::none_of(settings_.quiet, [&](const QuietHours& one) { return one.holds(now); });
}

double Rule::value() const {
  std::vector<double> values;
  for (const ConditionState& one : conditions_) values.push_back(one.value());
  return settings_.any ? std::ranges::max(values) : std::ranges::min(values);
}

const ConditionState& Rule::spoken_of() const {
  const auto found = std::ranges::find_if(conditions_, &ConditionState::met);
  return settings_.any && found != conditions_.end() ? *found : conditions_.front();
}

std::vector<std::string> Rule::evidence() const {
  std::vector<std::string> ids;
  for (const ConditionState& one : conditions_) {
    if (one.met() || !settings_.any) std::ranges::copy(one.evidence(), std::back_inserter(ids));
  }
  std::ranges::sort(ids);  // ULIDs: oldest first
  keep_ends(ids);
  return ids;
}

Alert Rule::alert_of(AlertChange change, const RuleAnswer& answer,
                     std::vector<std::string> its_evidence) const {
  const ConditionState& first = spoken_of();
  return {.rule = settings_.name,
          .stream = settings_.stream,
          .id = id_,
          .change = change,
          .severity = settings_.severity,
          .text = alert_text(settings_.text, settings_, first.condition().task, first.text(), value(),
                             answer.time)
                      .value_or(settings_.text),
          .p = value(),
          .check = check_,
          .since = since_,
          .time = answer.time,
          .evidence = std::move(its_evidence)};
}

RuleOutcome Rule::take(const RuleAnswer& answer) {
  RuleOutcome outcome;
  if (asked_at_) take_check(answer, outcome);
  bool told = false;
  for (ConditionState& one : conditions_) told = one.take(answer) || told;
  if (told) follow(answer, outcome);
  return outcome;
}

void Rule::follow(const RuleAnswer& answer, RuleOutcome& outcome) {
  if (!all_met(answer.time)) {
    met_since_.reset();
    if (stage_ == Stage::kChecking) dismiss();
    if (stage_ == Stage::kRaised && is_over()) end(AlertChange::kCleared, answer, outcome);
    return;
  }
  if (!met_since_) met_since_ = answer.time;
  if (stage_ == Stage::kQuiet && held(answer.time) && may_begin(answer.time)) {
    begin(answer, outcome);
  } else if (stage_ == Stage::kRaised && settings_.update_every.count() > 0 &&
             answer.time - told_ >= settings_.update_every) {
    told_ = answer.time;
    outcome.alerts.push_back(alert_of(AlertChange::kUpdated, answer, {answer.id}));
  }
}

// The conditions are met for long enough: a second look first, where one is asked for.
void Rule::begin(const RuleAnswer& answer, RuleOutcome& outcome) {
  check_ = AlertCheck::kNone;
  if (settings_.re_ask) {
    asked_at_ = answer.time;
    outcome.asks = true;
    stage_ = Stage::kChecking;
    if (settings_.re_ask->waits) return;
  }
  raise(answer, evidence(), outcome);
}

void Rule::raise(const RuleAnswer& answer, std::vector<std::string> its_evidence, RuleOutcome& outcome) {
  stage_ = Stage::kRaised;
  id_ = its_evidence.empty() ? answer.id : its_evidence.front();
  since_ = told_ = answer.time;
  outcome.alerts.push_back(alert_of(AlertChange::kRaised, answer, std::move(its_evidence)));
}

void Rule::end(AlertChange change, const RuleAnswer& answer, RuleOutcome& outcome) {
  outcome.alerts.push_back(alert_of(change, answer, {answer.id}));
  ended_ = answer.time;
  dismiss();
}

// The answer to the second look, or the knowledge that none came in time.
void Rule::take_check(const RuleAnswer& answer, RuleOutcome& outcome) {
  const RuleCondition& condition = settings_.re_ask->condition;
  const bool is_it = answer.stream == condition.stream && answer.task == condition.task;
  const std::optional<double> value = is_it ? value_of(condition, answer.data) : std::nullopt;
  if (value) {
    check_is_over(*value >= condition.above ? AlertCheck::kPassed : AlertCheck::kRefuted, answer, outcome);
  } else if (answer.time - *asked_at_ > settings_.re_ask->within) {
    check_is_over(AlertCheck::kUnanswered, answer, outcome);
  }
}

void Rule::check_is_over(AlertCheck check, const RuleAnswer& answer, RuleOutcome& outcome) {
  asked_at_.reset();
  check_ = check;
  const bool waited = stage_ == Stage::kChecking;
  if (check == AlertCheck::kRefuted) {
    if (!waited) end(AlertChange::kCleared, answer, outcome);
    dismiss();
    return;
  }
  std::vector<std::string> ids = evidence();
  if (check == AlertCheck::kPassed) ids.push_back(answer.id);
  keep_ends(ids);
  if (waited) {
    raise(answer, std::move(ids), outcome);
  } else if (check == AlertCheck::kPassed) {
    told_ = answer.time;
    outcome.alerts.push_back(alert_of(AlertChange::kConfirmed, answer, {answer.id}));
  }
}

// Back to the beginning: conditions must be met anew.
void Rule::dismiss() {
  stage_ = Stage::kQuiet;
  met_since_.reset();
  asked_at_.reset();
  if (check_ == AlertCheck::kRefuted) {
    for (ConditionState& one : conditions_) one.forget();
  }
  check_ = AlertCheck::kNone;
}

void Rule::restore(const Alert& last) {
  if (last.change == AlertChange::kCleared) {
    ended_ = last.time;
    return;
  }
  stage_ = Stage::kRaised;
  id_ = last.id;
  since_ = last.since;
  told_ = met_since_.emplace(last.time);
  check_ = last.check;
  for (ConditionState& one : conditions_) one.assume_met(last.time);
}

}  // namespace palisade
