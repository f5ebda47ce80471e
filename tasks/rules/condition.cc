#include "tasks/rules/condition.h"

#include <algorithm>
#include <cmath>

#include "tasks/filters/text_patterns.h"

namespace palisade {
namespace {

// Of choices: the calibrated probability where there is one.
std::optional<double> probability_of(const Json& choice) {
  for (const char* const key : {"calibrated", "p"}) {
    if (choice.contains(key) && choice.at(key).is_number()) return choice.at(key).get<double>();
  }
  return std::nullopt;
}

std::optional<double> choice_value(const std::string& answer, const Json& data) {
  if (!data.contains("choices") || !data.at("choices").is_array()) return std::nullopt;
  for (const Json& choice : data.at("choices")) {
    if (!choice.is_object() || !choice.contains("text") || !choice.at("text").is_string()) continue;
    const auto& text = choice.at("text").get_ref<const std::string&>();
    const bool meant = answer.empty() ? text == "yes" || text == "true" : text == answer;
    if (meant) return probability_of(choice);
  }
  return std::nullopt;
}

// Of boxes: the greatest confidence; 0 where none has the label.
std::optional<double> box_value(const std::string& label, const Json& data) {
  if (!data.contains("boxes") || !data.at("boxes").is_array()) {
    const std::string task = data.value("task", "");
    const bool looked = task == "detect" || task == "segment";
    return looked ? std::optional(0.0) : std::nullopt;
  }
  double greatest = 0;
  for (const Json& box : data.at("boxes")) {
    if (!box.is_object() || box.value("label", "") != label) continue;
    greatest = std::max(greatest, box.contains("confidence") && box.at("confidence").is_number()
                                      ? box.at("confidence").get<double>()
                                      : 1.0);
  }
  return greatest;
}

std::optional<double> word_value(const std::vector<std::string>& words, const Json& data) {
  if (!data.contains("text") || !data.at("text").is_string()) return std::nullopt;
  TextPatterns patterns;
  patterns.add_words("says", words);
  return patterns.find(data.at("text").get_ref<const std::string&>()).empty() ? 0.0 : 1.0;
}

}  // namespace

std::optional<double> value_of(const RuleCondition& condition, const Json& data) {
  if (!data.is_object()) return std::nullopt;
  const std::optional<double> value = !condition.says.empty()   ? word_value(condition.says, data)
                                      : !condition.sees.empty() ? box_value(condition.sees, data)
                                                                : choice_value(condition.answer, data);
  if (!value || !std::isfinite(*value)) return std::nullopt;
  const double within = std::clamp(*value, 0.0, 1.0);
  return condition.absent ? 1 - within : within;
}

bool ConditionState::take(const RuleAnswer& answer) {
  if (answer.stream != condition_.stream || answer.task != condition_.task) return false;
  std::optional<double> value = value_of(condition_, answer.data);
  // Nothing was asked, because the last answer still holds.
  if (!value && answer.data.is_object() && answer.data.contains("unchanged_since") && time_) value = value_;
  if (!value) return false;
  seen_.push_back({answer.id, *value});
  if (int(seen_.size()) > condition_.last) seen_.pop_front();
  value_ = *value;
  text_ = answer.data.contains("text") && answer.data.at("text").is_string()
              ? answer.data.at("text").get<std::string>()
              : "";
  time_ = answer.time;
  const auto above =
      std::ranges::count_if(seen_, [&](const Seen& one) { return one.value >= condition_.above; });
  const auto below =
      std::ranges::count_if(seen_, [&](const Seen& one) { return one.value <= condition_.below; });
  met_ = met_ ? below < condition_.enough : above >= condition_.enough;
  return true;
}

bool ConditionState::fresh(WallTime now, std::chrono::milliseconds limit) const {
  return time_ && now - *time_ <= limit;
}

std::vector<std::string> ConditionState::evidence() const {
  std::vector<std::string> ids;
  for (const Seen& one : seen_) {
    if (one.value >= condition_.above) ids.push_back(one.id);
  }
  return ids;
}

void ConditionState::forget() {
  seen_.clear();
  met_ = false;
  value_ = 0;
  time_.reset();
}

void ConditionState::assume_met(WallTime time) {
  met_ = true;
  value_ = condition_.above;
  time_ = time;
}

}  // namespace palisade
