#pragma once

#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace palisade {

// The evaluations of a run, by step: which was the best, and how many came after it. The same from the lines
// of metrics.jsonl as while they were made, so that a resumed run decides as one that was never stopped.
class ScoreHistory {
 public:
  ScoreHistory() = default;
  // Scores of another metric do not count.
  ScoreHistory(const std::vector<Json>& metrics, std::string_view metric);

  // Nothing where the evaluation had no metric.
  void add(int step, std::optional<double> score);
  bool has(int step) const { return scores_.contains(step); }
  // The first step of the highest score; nothing where there is none.
  std::optional<int> best_step() const;
  std::optional<double> best_score() const;
  // Evaluations after the best.
  int since_best() const;

 private:
  std::map<int, std::optional<double>> scores_;
};

}  // namespace palisade
