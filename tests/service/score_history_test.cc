#include "service/transfer/score_history.h"

#include <doctest/doctest.h>

using namespace palisade;

namespace {

Json line_of(int step, double score, const char* metric = "vqa") {
  return {{"step", step}, {"evaluation_loss", 1.0}, {"metric", metric}, {"evaluation_score", score}};
}

}  // namespace

TEST_CASE("the best evaluation is the first of the highest score") {
  ScoreHistory history;
  CHECK_FALSE(history.best_step());
  CHECK(history.since_best() == 0);
  history.add(10, 0.5);
  history.add(20, 0.75);
  history.add(30, 0.75);
  history.add(40, 0.25);
  CHECK(history.best_step() == 20);
  CHECK(history.best_score() == 0.75);
  CHECK(history.since_best() == 2);
  history.add(50, 0.8);
  CHECK(history.best_step() == 50);
  CHECK(history.since_best() == 0);
}

TEST_CASE("what is read back from a run's lines is what was added, and one step counts once") {
  const std::vector<Json> lines = {{{"step", 5}, {"loss", 2.0}},
                                   line_of(10, 0.5),
                                   line_of(20, 0.75),
                                   line_of(30, 0.1),
                                   line_of(30, 0.2),
                                   {{"step", 40}, {"evaluation_loss", 1.0}},
                                   {{"step", 40}, {"beams", 2}, {"evaluation_exact_by_beams", 1.0}}};
  const ScoreHistory history(lines, "vqa");
  CHECK(history.best_step() == 20);
  CHECK(history.since_best() == 2);
  CHECK_FALSE(history.has(5));
  for (const int step : {10, 20, 30, 40}) CHECK(history.has(step));
}

TEST_CASE("scores of another metric, and what is no score, do not count") {
  std::vector<Json> lines = {line_of(10, 0.5), line_of(20, 7, "anls")};
  lines.push_back({{"step", 30}, {"evaluation_loss", nullptr}, {"metric", 3}, {"evaluation_score", "high"}});
  const ScoreHistory history(lines, "vqa");
  CHECK(history.best_step() == 10);
  CHECK(history.has(20));
  CHECK_FALSE(ScoreHistory(lines, "pope").best_step());
}
