#include "tasks/metrics/vqav2.h"

#include "tests/tasks/metric_cases.h"

using namespace palisade;

TEST_CASE("vqav2 normalises every recorded text as big_vision and VQA's own script do") {
  const std::vector<Json> cases = case_lines("vqav2.normalise.jsonl");
  CHECK(cases.size() == 908);
  int official = 0;
  for (const Json& line : cases) {
    INFO(line.dump());
    const std::string text = vqav2_stripped(line.at("text").get<std::string>());
    CHECK(text == line.at("stripped"));
    CHECK(vqav2_processed(text) == line.at("processed"));
    CHECK(vqav2_processed(text, true) == line.value("official", line.at("processed").get<std::string>()));
    official += line.contains("official");
  }
  CHECK(official == 38);
}

TEST_CASE("vqav2 equals big_vision and VQA's own script on every recorded case and total") {
  const std::vector<Json> cases = case_lines("vqav2.jsonl");
  CHECK(cases.size() == 529);
  const Metric& metric = *find_metric("vqav2");
  for (const Json& line : cases) {
    INFO(line.dump());
    const MetricExample example = metric_example(metric, line);
    const MetricResult result = metric.score({&example, 1}, {});
    check_equal(result.examples[0].scores.at("acc"), line.at("acc"));
    check_equal(result.examples[0].scores.at("official_acc"), line.at("official_acc"));
    for (const char* const key : {"as_compared", "answers_as_compared"}) {
      if (line.contains(key)) CHECK(result.examples[0].details.at(key) == line.at(key));
    }
  }
  Json totals = read_json(kMetricCases / "vqav2.totals.json").at("totals");
  CHECK(totals.size() == 5);
  for (Json& total : totals) {
    if (total.contains("official")) total["official"].erase("perQuestionType");  // the cases say no type
  }
  check_totals("vqav2", cases, totals);
}

TEST_CASE("vqav2's own script tells percents by type of question where lines have one") {
  Json line = case_lines("vqav2.jsonl").front();
  line["question_type"] = "what is";
  const MetricExample example = metric_example(*find_metric("vqav2"), line);
  CHECK(score_vqav2({&example, 1}, {}).official.at("perQuestionType") == Json{{"what is", 100.0}});
}
