#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "service/evaluation/bootstrap.h"
#include "service/evaluation/evaluation_folder.h"
#include "service/evaluation/evaluation_report.h"

namespace palisade {

// An example that two models answered with different scores.
struct DifferingExample {
  ShownExample example;  // as the first model answered it
  std::string second_prediction;
  double second_score = 0, second_p = 0;
};

// What two evaluations of the same examples say of their models.
struct EvaluationComparison {
  std::string names[2];         // of the models, and where those are equal of the folders
  EvaluationSettings settings;  // of the first
  std::string metric, score;    // whose scores of each example are compared
  std::size_t examples = 0;     // that both have a score of
  double means[2] = {0, 0};
  PairedDifference difference;
  // Where every score is 0 or 1: how often only one was right, and McNemar's test of it.
  struct OneRight {
    int first_alone = 0, second_alone = 0;
    double p_value = 1;
  };
  std::optional<OneRight> one_right;
  std::size_t differing = 0;                                  // in their score
  std::vector<DifferingExample> first_better, second_better;  // the largest differences first
};

// Throws Error where one of them has no report, or where metric or examples are others.
EvaluationComparison compare_evaluations(const EvaluationFolder& first, const EvaluationFolder& second);

std::vector<std::string> comparison_lines(const EvaluationComparison& comparison);
Json comparison_json(const EvaluationComparison& comparison);
std::string comparison_html(const EvaluationComparison& comparison);
// comparison.json and comparison.html in a new folder. Throws UsageError where there is something in it.
void write_comparison(const std::filesystem::path& folder, const EvaluationComparison& comparison);

}  // namespace palisade
