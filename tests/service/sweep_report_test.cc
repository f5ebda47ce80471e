#include "service/transfer/sweep_report.h"

#include <doctest/doctest.h>

using namespace palisade;

namespace {

SweepRun run_of(const std::string& name, double epochs, double exact, double loss) {
  return {name, {.epochs = epochs}, SweepScore{exact, loss, 65}};
}

}  // namespace

TEST_CASE("the best run has the most exact answers, then the least loss, then came first") {
  CHECK(best_of({}) == nullptr);
  CHECK(best_of({{"run001", {}, {}, "NaN"}}) == nullptr);
  const std::vector<SweepRun> runs = {run_of("run001", 1, 0.5, 0.1), run_of("run002", 3, 0.75, 0.4),
                                      run_of("run003", 10, 0.75, 0.3), run_of("run004", 30, 0.75, 0.3)};
  CHECK(best_of(runs)->name == "run003");
}

TEST_CASE("where runs have a metric, the best has the highest figure of it, and reports show it") {
  std::vector<SweepRun> runs = {run_of("run001", 1, 0.9, 0.1), run_of("run002", 3, 0.5, 0.4),
                                run_of("run003", 10, 0.75, 0.3)};
  for (SweepRun& run : runs) run.settings.metric = "vqa";
  runs[0].score->metric = 0.25;
  runs[1].score->metric = 0.5;
  CHECK(best_of(runs)->name == "run002");
  runs[2].score->metric = 0.5;
  CHECK(best_of(runs)->name == "run003");
  runs[2].score = {};
  const std::string expected =
      "| run    | epochs | vqa acc | exact  | loss   | time  |     |\n"
      "|--------|--------|---------|--------|--------|-------|-----|\n"
      "| run001 | 1      | 0.2500  | 90.0 % | 0.1000 | 01:05 |     |\n"
      "| run002 | 3      | 0.5000  | 50.0 % | 0.4000 | 01:05 | best |\n"
      "| run003 | 10     | -       | -      | -      | -     | not finished |\n";
  CHECK(table_of(runs, {"epochs"}) == expected);
  CHECK(picture_of(runs, {"epochs"}).find("vqa acc of the evaluation (bar)") != std::string::npos);
  CHECK(json_of(runs, {"epochs"}).at("runs").at(1).at("metric") == 0.5);
}

TEST_CASE("the table is Markdown, names the best, and tells failures on one line") {
  const std::vector<SweepRun> runs = {run_of("run001", 1, 0.5, 0.1),
                                      {"run002", {.epochs = 30}, {}, "step 2: |loss|\nis no number"},
                                      {"run003", {.epochs = 3}, {}, {}}};
  const std::string expected =
      "| run    | epochs | exact  | loss   | time  |     |\n"
      "|--------|--------|--------|--------|-------|-----|\n"
      "| run001 | 1      | 50.0 % | 0.1000 | 01:05 | best |\n"
      "| run002 | 30     | -      | -      | -     | failed: step 2: /loss/\\nis no number |\n"
      "| run003 | 3      | -      | -      | -     | not finished |\n";
  CHECK(table_of(runs, {"epochs"}) == expected);
  const std::string picture = picture_of(runs, {"epochs"});
  CHECK(picture.find("run001  epochs 1") != std::string::npos);
  CHECK(picture.find("\"#080\"") != std::string::npos);
  CHECK(picture.find(">failed<") != std::string::npos);
  const Json json = json_of(runs, {"epochs"});
  CHECK(json.at("best") == "run001");
  CHECK(json.at("runs").at(0).at("values").at("epochs") == "1");
  CHECK(json.at("runs").at(1).at("failure").get<std::string>().starts_with("step 2"));
  CHECK(json_of({}, {}).at("best").is_null());
}
