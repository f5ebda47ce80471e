#include "tasks/metrics/closed_answers.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "base/error.h"
#include "base/format.h"
#include "tasks/metrics/example_lines.h"
#include "tasks/metrics/mean.h"
#include "tasks/metrics/python_text.h"

namespace palisade {
namespace {

constexpr double kRelaxed = 0.05;
constexpr int kMostCount = 15;
constexpr std::array<std::string_view, 21> kTallyWords = {
    "zero",     "one",     "two",     "three",     "four",     "five",     "six",
    "seven",    "eight",   "nine",    "ten",       "eleven",   "twelve",   "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"};

// Whether both are numbers and near enough; nothing where the texts decide.
std::optional<bool> relaxed_numbers(const std::string& prediction, const std::string& target) {
  const auto predicted = chartqa_number(prediction);
  const auto right = chartqa_number(target);
  if (!predicted || !right || *right == 0) return std::nullopt;
  return std::abs(*predicted - *right) / std::abs(*right) <= kRelaxed;
}

std::string count_text(const std::string& text) {
  const std::string lower = python_lower(text);
  if (lower == "none") return "0";
  const auto found = std::ranges::find(kTallyWords, lower);
  return found == kTallyWords.end() ? text : format("{}", found - kTallyWords.begin());
}

// POPE's: "no" where a word of the first sentence denies.
bool official_yes(const std::string& prediction) {
  std::string text = prediction.substr(0, prediction.find('.'));
  std::erase(text, ',');
  while (true) {
    const std::size_t space = text.find(' ');
    const std::string word = text.substr(0, space);
    if (word == "No" || word == "not" || word == "no") return false;
    if (space == std::string::npos) return true;
    text.erase(0, space + 1);
  }
}

struct Confusion {
  int true_yes = 0, true_no = 0, false_yes = 0, false_no = 0;

  void add(bool said_yes, bool is_yes) {
    ++(said_yes ? (is_yes ? true_yes : false_yes) : (is_yes ? false_no : true_no));
  }
  int count() const { return true_yes + true_no + false_yes + false_no; }
};

Json share(double part, double whole) {
  return whole > 0 ? Json(part / whole) : Json(nullptr);
}

// A share that the script divides by zero for is null.
Json figures_of(const Confusion& all) {
  const Json precision = share(all.true_yes, all.true_yes + all.false_yes);
  const Json recall = share(all.true_yes, all.true_yes + all.false_no);
  Json f1 = nullptr;
  if (precision.is_number() && recall.is_number()) {
    const auto p = precision.get<double>();
    const auto r = recall.get<double>();
    f1 = share(2 * p * r, p + r);
  }
  return {{"TP", all.true_yes},
          {"TN", all.true_no},
          {"FP", all.false_yes},
          {"FN", all.false_no},
          {"yes_ratio", share(all.true_yes + all.false_yes, all.count())},
          {"accuracy", share(all.true_yes + all.true_no, all.count())},
          {"precision", precision},
          {"recall", recall},
          {"f1", f1}};
}

// The chosen and the direct answer; nothing for one that is missing.
std::pair<std::optional<std::string>, std::optional<std::string>> answers_of(const ExamplePrediction& said) {
  if (said.two_settings) return {said.multiple_choice, said.direct_answer};
  if (said.missing) return {};
  return {said.text, said.text};
}

}  // namespace

void read_one_answer(const Json& line, const MetricSettings&, ExampleReferences& references) {
  read_answers(line, references);
  if (references.answers.size() > 1)
    throw Error(
        format("{} answers, where this metric compares with one \"answer\"", references.answers.size()));
}

std::optional<double> chartqa_number(std::string_view text) {
  if (!text.ends_with('%')) return python_float(text);
  while (text.ends_with('%')) text.remove_suffix(1);
  const auto percent = python_float(text);
  return percent ? std::optional(*percent / 100) : std::nullopt;
}

MetricResult score_chartqa(std::span<const MetricExample> examples, const MetricSettings& settings) {
  MetricResult result;
  Mean acc, relaxed;
  for (const MetricExample& example : examples) {
    ExampleScore& score = result.examples.emplace_back();
    if (example.references.answers.empty()) continue;
    const std::string& given = example.prediction.text;
    const std::string& answer = example.references.answers[0];
    const std::string prediction = settings.lower ? python_lower(given) : given;
    const std::string target = settings.lower ? python_lower(answer) : answer;
    const bool near = relaxed_numbers(prediction, target).value_or(prediction == target);
    score.scores = {{"acc", double(prediction == target)}, {"relaxed_acc", double(near)}};
    score.details["pix2struct"] =
        relaxed_numbers(given, answer).value_or(python_lower(given) == python_lower(answer));
    acc.add(prediction == target);
    relaxed.add(near);
  }
  acc.tell(result.figures, "acc");
  relaxed.tell(result.figures, "relaxed_acc");
  result.figures["num"] = double(examples.size());
  return result;
}

void read_tallyqa(const Json& line, const MetricSettings& settings, ExampleReferences& references) {
  read_one_answer(line, settings, references);
  for (const std::string& answer : references.answers) {
    const std::string count = count_text(answer);
    bool known = false;
    for (int i = 0; i <= kMostCount; ++i) known = known || count == format("{}", i);
    if (!known) throw Error(format("the answer \"{}\" is no count from 0 to {}", answer, kMostCount));
  }
  if (given(line, "issimple")) references.simple = int(whole_number_of_line(line, "issimple", -1, 1));
}

MetricResult score_tallyqa(std::span<const MetricExample> examples, const MetricSettings&) {
  MetricResult result;
  Mean all;
  std::map<std::string, Mean> groups;
  for (const MetricExample& example : examples) {
    ExampleScore& score = result.examples.emplace_back();
    if (example.references.answers.empty()) continue;
    const std::string count = count_text(example.references.answers[0]);
    const bool right = count_text(example.prediction.text) == count;
    score.scores["acc"] = double(right);
    all.add(right);
    groups["count_" + count].add(right);
    if (example.references.simple >= 0)
      groups[example.references.simple == 1 ? "simple" : "complex"].add(right);
  }
  all.tell(result.figures, "acc");
  result.figures["num"] = double(examples.size());
  for (const auto& [name, mean] : groups) {
    result.figures["acc/" + name] = mean.value();
    result.figures["num/" + name] = double(mean.count());
  }
  return result;
}

std::string science_qa_choice(std::string_view text) {
  constexpr std::string_view kStart = "the answer is ";
  const std::string lower = python_lower(text);
  const bool fits = lower.starts_with(kStart) && lower.size() > kStart.size() + 1 &&
                    lower[kStart.size()] >= 'a' && lower[kStart.size()] <= 'z' &&
                    lower[kStart.size() + 1] == '.';
  return fits ? lower.substr(kStart.size(), 1) : "failed";
}

MetricResult score_science_qa(std::span<const MetricExample> examples, const MetricSettings&) {
  MetricResult result;
  Mean acc, failed;
  for (const MetricExample& example : examples) {
    ExampleScore& score = result.examples.emplace_back();
    const std::string choice = science_qa_choice(example.prediction.text);
    score.details["choice"] = choice;
    if (example.references.answers.empty()) continue;
    const std::string answer = science_qa_choice(example.references.answers[0]);
    score.details["answer_choice"] = answer;
    score.scores = {{"acc", double(choice == answer)}, {"parsefail", double(choice == "failed")}};
    acc.add(choice == answer);
    failed.add(choice == "failed");
  }
  acc.tell(result.figures, "acc");
  failed.tell(result.figures, "parsefail");
  result.figures["num"] = double(examples.size());
  return result;
}

MetricResult score_pope(std::span<const MetricExample> examples, const MetricSettings&) {
  MetricResult result;
  Mean acc, valid;
  Confusion confusion;
  for (const MetricExample& example : examples) {
    ExampleScore& score = result.examples.emplace_back();
    const std::string lower = python_lower(example.prediction.text);
    const bool yes = official_yes(example.prediction.text);
    score.details["official_answer"] = yes ? "yes" : "no";
    if (example.references.answers.empty()) continue;
    const std::string& answer = example.references.answers[0];
    const bool is_valid = lower == "yes" || lower == "no";
    score.scores = {{"acc", double(lower == answer)}, {"valid", double(is_valid)}};
    acc.add(lower == answer);
    valid.add(is_valid);
    confusion.add(yes, answer != "no");
  }
  acc.tell(result.figures, "acc");
  valid.tell(result.figures, "valid_percent");
  result.figures["num"] = double(examples.size());
  if (confusion.count() > 0) result.official = figures_of(confusion);
  result.figures.update(result.official);
  return result;
}

void read_aokvqa(const Json& line, const MetricSettings&, ExampleReferences& references) {
  if (given(line, "difficult_direct_answer")) {
    if (!line.at("difficult_direct_answer").is_boolean())
      throw Error("\"difficult_direct_answer\" is neither true nor false");
    references.difficult = line.at("difficult_direct_answer").get<bool>();
  }
  if (given(line, "choices")) {
    ExampleReferences choices;
    read_answers({{"answers", line.at("choices")}}, choices);
    references.choices = choices.answers;
    if (given(line, "correct_choice_idx"))
      references.choice = std::size_t(
          whole_number_of_line(line, "correct_choice_idx", 0, std::int64_t(references.choices.size()) - 1));
  }
  if (!references.choice || given(line, "direct_answers")) read_answers(line, references);
  references.unanswered = references.answers.empty() && !references.choice;
}

MetricResult score_aokvqa(std::span<const MetricExample> examples, const MetricSettings&) {
  constexpr double kPercent = 100;
  MetricResult result;
  Mean choice, direct;
  for (const MetricExample& example : examples) {
    ExampleScore& score = result.examples.emplace_back();
    const ExampleReferences& references = example.references;
    const auto [chosen, answered] = answers_of(example.prediction);
    if (references.choice) {
      const bool right = chosen == references.choices[*references.choice];
      score.scores["multiple_choice"] = kPercent * right;
      choice.add(right);
    }
    if (references.answers.empty()) continue;
    score.scores["direct_answer"] = nullptr;
    if (references.difficult) continue;
    const auto matches = answered ? double(std::ranges::count(references.answers, *answered)) : 0.0;
    const double share = std::min(1.0, matches / 3);
    score.scores["direct_answer"] = kPercent * share;
    direct.add(share);
  }
  choice.tell(result.figures, "multiple_choice", kPercent);
  direct.tell(result.figures, "direct_answer", kPercent);
  result.figures["num"] = double(examples.size());
  return result;
}

}  // namespace palisade
