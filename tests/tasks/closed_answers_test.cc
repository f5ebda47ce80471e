#include "tasks/metrics/closed_answers.h"

#include "tests/tasks/metric_cases.h"

using namespace palisade;

namespace {

std::vector<Json> checked_cases(const std::string& name, std::size_t count, std::size_t totals) {
  const std::vector<Json> cases = case_lines(name + ".jsonl");
  CHECK(cases.size() == count);
  CHECK(read_json(kMetricCases / (name + ".totals.json")).at("totals").size() == totals);
  return cases;
}

// The scores of each case by itself, lower-cased where it says so.
ExampleScore score_alone(const std::string& name, const Json& line) {
  const Metric& metric = *find_metric(name);
  const MetricSettings settings{.lower = line.value("to_lower", false)};
  const MetricExample example = metric_example(metric, line, settings);
  return metric.score({&example, 1}, settings).examples[0];
}

void check_all_totals(const std::string& name, const std::vector<Json>& cases) {
  check_totals(name, cases, read_json(kMetricCases / (name + ".totals.json")).at("totals"));
}

}  // namespace

TEST_CASE("chartqa equals big_vision and pix2struct on every recorded case, number and total") {
  const std::vector<Json> cases = checked_cases("chartqa", 520, 6);
  for (const Json& line : cases) {
    INFO(line.dump());
    const ExampleScore score = score_alone("chartqa", line);
    check_equal(score.scores.at("acc"), line.at("acc"));
    check_equal(score.scores.at("relaxed_acc"), line.at("relaxed_acc"));
    CHECK(score.details.at("pix2struct") == line.at("pix2struct"));
  }
  check_all_totals("chartqa", cases);
  const Json numbers = read_json(kMetricCases / "chartqa.totals.json").at("to_float");
  CHECK(numbers.size() == 330);
  for (const Json& number : numbers) {
    INFO(number.dump());
    const auto found = chartqa_number(number.at("text").get<std::string>());
    const Json& expected = number.at("value");
    if (expected.is_null()) {
      CHECK(found == std::nullopt);
    } else if (expected.is_string()) {
      CHECK(std::isnan(found.value()) == (expected == "nan"));
      if (expected != "nan") CHECK(found == (expected == "inf" ? HUGE_VAL : -HUGE_VAL));
    } else {
      CHECK(found == expected.get<double>());
    }
  }
}

TEST_CASE("tallyqa equals big_vision on every recorded case and total") {
  const std::vector<Json> cases = checked_cases("tallyqa", 340, 5);
  for (const Json& line : cases) check_equal(score_alone("tallyqa", line).scores.at("acc"), line.at("acc"));
  check_all_totals("tallyqa", cases);
  CHECK_THROWS_WITH_AS(
      metric_example(*find_metric("tallyqa"), {{"id", 1}, {"answer", "16"}, {"prediction", ""}}),
      "the answer \"16\" is no count from 0 to 15", Error);
}

TEST_CASE("science_qa equals big_vision on every recorded case and total") {
  const std::vector<Json> cases = checked_cases("science_qa", 340, 5);
  for (const Json& line : cases) {
    INFO(line.dump());
    const ExampleScore score = score_alone("science_qa", line);
    CHECK(score.details.at("choice") == line.at("choice"));
    CHECK(score.details.at("answer_choice") == line.at("answer_choice"));
    check_equal(score.scores.at("acc"), line.at("acc"));
    check_equal(score.scores.at("parsefail"), line.at("parsefail"));
  }
  check_all_totals("science_qa", cases);
}

TEST_CASE("pope equals big_vision and POPE's own script on every recorded case and total") {
  const std::vector<Json> cases = checked_cases("pope", 360, 7);
  for (const Json& line : cases) {
    INFO(line.dump());
    const ExampleScore score = score_alone("pope", line);
    check_equal(score.scores.at("acc"), line.at("acc"));
    check_equal(score.scores.at("valid"), line.at("valid"));
    CHECK(score.details.at("official_answer") == line.at("official_answer"));
  }
  check_all_totals("pope", cases);
}

TEST_CASE("aokvqa equals its own script on every recorded case and total") {
  const std::vector<Json> cases = checked_cases("aokvqa", 300, 5);
  for (const Json& line : cases) {
    INFO(line.dump());
    check_figures(score_alone("aokvqa", line).scores, line.at("scores"));
  }
  check_all_totals("aokvqa", cases);
}
