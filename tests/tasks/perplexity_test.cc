#include "tasks/metrics/perplexity.h"

#include "tests/tasks/metric_cases.h"

using namespace palisade;

TEST_CASE("perplexity equals big_vision on every recorded case and total") {
  const std::vector<Json> cases = case_lines("perplexity.jsonl");
  CHECK(cases.size() == 260);
  std::vector<PerplexityScore> scores;
  for (const Json& line : cases) {
    INFO(line.dump());
    std::vector<float> logits;
    for (const Json& row : line.at("logits")) {
      for (const Json& value : row) logits.push_back(value.get<float>());
    }
    const auto tokens = line.at("text").get<std::vector<int>>();
    const auto weights = line.at("mask_loss").get<std::vector<float>>();
    scores.push_back(perplexity(logits, tokens, weights, line.at("logits")[0].size()));
    const auto near = [](double expected) { return std::max(2e-4, 1e-5 * std::abs(expected)); };
    const auto sum = line.at("sum").get<double>(), avg = line.at("avg").get<double>();
    CHECK(std::abs(scores.back().sum - sum) <= near(sum));
    CHECK(std::abs(scores.back().avg - avg) <= near(avg));
  }
  const Json totals = read_json(kMetricCases / "perplexity.totals.json").at("totals");
  CHECK(totals.size() == 5);
  for (const Json& total : totals) {
    double sum = 0, avg = 0, count = 0;
    for (std::size_t i = 0; i < cases.size(); ++i) {
      const Json& some = total.at("cases");
      if (some != "all" && std::ranges::find(some, cases[i].at("id")) == some.end()) continue;
      sum += scores[i].sum;
      avg += scores[i].avg;
      ++count;
    }
    CHECK(std::abs(sum / count - total.at("figures").at("sum").get<double>()) <= 2e-4);
    CHECK(std::abs(avg / count - total.at("figures").at("avg").get<double>()) <= 2e-4);
  }
}
