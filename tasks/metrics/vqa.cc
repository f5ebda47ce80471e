#include "tasks/metrics/vqa.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/error.h"
#include "base/format.h"
#include "tasks/metrics/edit_distance.h"
#include "tasks/metrics/example_lines.h"
#include "tasks/metrics/mean.h"
#include "tasks/metrics/python_text.h"

namespace palisade {
namespace {

constexpr std::array<std::string_view, 5> kQuestionTypes = {"comp", "count", "presence", "rural_urban",
                                                            "area"};

std::string as_compared(const std::string& text, const MetricSettings& settings) {
  return settings.lower ? python_lower(text) : text;
}

std::vector<std::string> answers_as_compared(const ExampleReferences& references,
                                             const MetricSettings& settings) {
  std::vector<std::string> answers;
  for (const std::string& answer : references.answers) answers.push_back(as_compared(answer, settings));
  return answers;
}

ExampleScore score_of(const MetricExample& example, const MetricSettings& settings) {
  ExampleScore score;
  const std::string text = as_compared(example.prediction.text, settings);
  score.details["as_compared"] = text;
  const std::vector<std::string> answers = answers_as_compared(example.references, settings);
  if (answers.empty()) return score;
  const auto matches = double(std::ranges::count(answers, text));
  const double any = std::min(1.0, matches);
  double best = 0;
  for (const std::string& answer : answers) best = std::max(best, anls(text, answer));
  score.scores = {{"acc", example.references.listed ? std::min(1.0, matches / 3) : any},
                  {"acc_any", any},
                  {"anls", best}};
  return score;
}

// Means of all scores of the examples, and how many examples there are.
void add_means(MetricResult& result) {
  std::map<std::string, Mean> means;
  for (const ExampleScore& example : result.examples) {
    for (const auto& [name, score] : example.scores.items()) {
      if (score.is_number()) means[name].add(score.get<double>());
    }
  }
  for (const auto& [name, mean] : means) mean.tell(result.figures, name.c_str());
  result.figures["num"] = double(result.examples.size());
}

// "dev-12-3-0.png" without its pair, 3.
std::string without_pair(const std::string& identifier) {
  std::vector<std::string> parts(1);
  for (const char c : identifier) {
    if (c == '-') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts.size() < 4 ? identifier : parts[0] + "-" + parts[1] + "-" + parts.back();
}

// The second field of the line "identifier,prediction", stripped at its end.
std::string official_answer(const std::string& identifier, const std::string& prediction) {
  const std::string line = stripped(identifier + "," + prediction);
  const std::size_t comma = line.find(',');
  const std::string field = comma == std::string::npos ? "" : line.substr(comma + 1);
  return python_lower(field.substr(0, field.find(',')));
}

}  // namespace

void read_vqa(const Json& line, const MetricSettings&, ExampleReferences& references) {
  read_answers(line, references);
}

MetricResult score_vqa(std::span<const MetricExample> examples, const MetricSettings& settings) {
  MetricResult result;
  for (const MetricExample& example : examples) result.examples.push_back(score_of(example, settings));
  add_means(result);
  return result;
}

MetricResult score_anls(std::span<const MetricExample> examples, const MetricSettings& settings) {
  MetricResult result = score_vqa(examples, settings);
  for (ExampleScore& example : result.examples) {
    example.scores.erase("acc");
    example.scores.erase("acc_any");
  }
  result.figures.erase("acc");
  result.figures.erase("acc_any");
  return result;
}

MetricResult score_exact(std::span<const MetricExample> examples, const MetricSettings& settings) {
  MetricResult result;
  for (const MetricExample& example : examples) {
    const std::vector<std::string> answers = answers_as_compared(example.references, settings);
    const std::string text = as_compared(example.prediction.text, settings);
    ExampleScore& score = result.examples.emplace_back();
    score.details["as_compared"] = text;
    if (!answers.empty()) score.scores["acc"] = double(std::ranges::find(answers, text) != answers.end());
  }
  add_means(result);
  return result;
}

void read_rsvqa(const Json& line, const MetricSettings&, ExampleReferences& references) {
  read_answers(line, references);
  if (!references.listed && !references.answers.empty())
    throw Error("one \"answer\", where rsvqa compares with a list: \"answers\": [...]");
  references.question_type = text_of_line(line, "question_type");
  if (std::ranges::find(kQuestionTypes, references.question_type) == kQuestionTypes.end())
    throw Error(format("\"question_type\" is \"{}\", not comp, count, presence, rural_urban or area",
                       references.question_type));
}

MetricResult score_rsvqa(std::span<const MetricExample> examples, const MetricSettings& settings) {
  MetricResult result = score_vqa(examples, settings);
  std::map<std::string_view, Mean> by_type;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    const auto any = result.examples[i].scores.find("acc_any");
    if (any != result.examples[i].scores.end())
      by_type[examples[i].references.question_type].add(any->get<double>());
  }
  Mean average;
  for (const auto& [type, mean] : by_type) {
    result.figures["acc_" + std::string(type)] = mean.value();
    average.add(mean.value());
  }
  average.tell(result.figures, "acc_avg");
  // The script says this name twice where rural_urban is there too, and a logger keeps what comes last.
  if (by_type.contains("comp") && by_type.contains("presence"))
    result.figures["acc_avg_nonum"] = (by_type["comp"].value() + by_type["presence"].value()) / 2;
  return result;
}

void read_nlvr2(const Json& line, const MetricSettings&, ExampleReferences& references) {
  read_answers(line, references);
  references.identifier = text_of_line_or(line, "identifier", "");
}

MetricResult score_nlvr2(std::span<const MetricExample> examples, const MetricSettings& settings) {
  MetricResult result = score_vqa(examples, settings);
  Mean accuracy, consistency;
  std::map<std::string, bool> groups;  // whether all are right
  for (std::size_t i = 0; i < examples.size(); ++i) {
    const ExampleReferences& references = examples[i].references;
    if (references.identifier.empty() || references.answers.empty()) continue;
    const bool right = official_answer(references.identifier, examples[i].prediction.text) ==
                       python_lower(references.answers[0]);
    result.examples[i].scores["official_acc"] = double(right);
    accuracy.add(right);
    bool& all = groups.try_emplace(without_pair(references.identifier), true).first->second;
    all = all && right;
  }
  for (const auto& [group, right] : groups) consistency.add(right);
  accuracy.tell(result.official, "accuracy");
  consistency.tell(result.official, "consistency");
  result.figures.update(result.official);
  return result;
}

}  // namespace palisade
