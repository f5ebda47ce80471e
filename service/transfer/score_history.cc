#include "service/transfer/score_history.h"

#include <iterator>

namespace palisade {

ScoreHistory::ScoreHistory(const std::vector<Json>& metrics, std::string_view metric) {
  for (const Json& line : metrics) {
    if (!line.contains("evaluation_loss")) continue;
    const auto score = line.find("evaluation_score");
    const bool scored = score != line.end() && score->is_number() && line.value("metric", Json()) == metric;
    add(line.at("step").get<int>(), scored ? std::optional(score->get<double>()) : std::nullopt);
  }
}

void ScoreHistory::add(int step, std::optional<double> score) {
  scores_.insert_or_assign(step, score);
}

std::optional<int> ScoreHistory::best_step() const {
  std::optional<int> best;
  for (const auto& [step, score] : scores_) {
    if (score && (!best || *score > *scores_.at(*best))) best = step;
  }
  return best;
}

std::optional<double> ScoreHistory::best_score() const {
  const std::optional<int> best = best_step();
  return best ? scores_.at(*best) : std::nullopt;
}

int ScoreHistory::since_best() const {
  const std::optional<int> best = best_step();
  return best ? int(std::distance(scores_.upper_bound(*best), scores_.end())) : 0;
}

}  // namespace palisade
