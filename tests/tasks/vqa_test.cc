#include "tasks/metrics/vqa.h"

#include "tests/tasks/metric_cases.h"

using namespace palisade;

TEST_CASE("vqa equals big_vision on every recorded case and total") {
  const std::vector<Json> cases = case_lines("vqa.jsonl");
  CHECK(cases.size() == 622);
  const Metric& metric = *find_metric("vqa");
  for (const Json& line : cases) {
    INFO(line.dump());
    const MetricSettings settings{.lower = line.at("to_lower").get<bool>()};
    const MetricExample example = metric_example(metric, line, settings);
    const MetricResult result = metric.score({&example, 1}, settings);
    CHECK(result.examples[0].details.at("as_compared") == line.at("as_compared"));
    CHECK(result.examples[0].scores.size() == line.at("scores").size());
    check_figures(result.examples[0].scores, line.at("scores"));
  }
  const Json totals = read_json(kMetricCases / "vqa.totals.json").at("totals");
  CHECK(totals.size() == 12);
  check_totals("vqa", cases, totals);
}

TEST_CASE("the metric anls averages the recorded cases, and exact match counts equal texts") {
  std::vector<MetricExample> examples;
  double sum = 0;
  int equal = 0;
  const std::vector<Json> cases = case_lines("anls.jsonl");
  for (const Json& line : cases) {
    examples.push_back(metric_example(*find_metric("anls"), line));
    sum += line.at("anls").get<double>();
    equal += line.at("prediction") == line.at("target");
  }
  check_equal(score_anls(examples, {}).figures, Json{{"anls", sum / double(cases.size())}, {"num", 423.0}});
  CHECK(score_exact(examples, {}).figures.at("acc").get<double>() == doctest::Approx(equal / 423.0));
}

TEST_CASE("rsvqa equals big_vision on every recorded case and total") {
  const std::vector<Json> cases = case_lines("rsvqa.jsonl");
  CHECK(cases.size() == 340);
  const Json totals = read_json(kMetricCases / "rsvqa.totals.json").at("totals");
  CHECK(totals.size() == 11);
  const auto scores = check_totals("rsvqa", cases, totals);
  CHECK(scores.size() == 340);
  for (const Json& line : cases) {
    INFO(line.dump());
    check_figures(scores.at(line.at("id").get<int>()).scores, line.at("scores"));
  }
}

TEST_CASE("nlvr2 equals big_vision and NLVR2's own script on every recorded case and total") {
  const std::vector<Json> cases = case_lines("nlvr2.jsonl");
  CHECK(cases.size() == 400);
  const Json totals = read_json(kMetricCases / "nlvr2.totals.json").at("totals");
  CHECK(totals.size() == 5);
  const auto scores = check_totals("nlvr2", cases, totals);
  for (const Json& line : cases) {
    INFO(line.dump());
    const Json& found = scores.at(line.at("id").get<int>()).scores;
    check_equal(found.at("acc"), line.at("acc"));
    check_equal(found.at("official_acc"), line.at("official_acc"));
  }
}
