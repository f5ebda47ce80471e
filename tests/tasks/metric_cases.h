#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/read_file.h"
#include "tasks/metrics/metric.h"

namespace palisade {

// Recorded scores of the reference implementations; its README says of which.
inline const std::filesystem::path kMetricCases =
    std::filesystem::path(PALISADE_SOURCE_DIR) / "tests/golden/evaluate";
inline constexpr double kMetricTolerance = 1e-9;

inline std::vector<Json> case_lines(const std::string& name) {
  const std::string text = read_text_file(kMetricCases / name, 16u << 20);
  std::vector<Json> cases;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    cases.push_back(parse_json(text.substr(at, end - at), name));
    at = end == std::string::npos ? text.size() : end + 1;
  }
  return cases;
}

inline MetricExample metric_example(const Metric& metric, const Json& line,
                                    const MetricSettings& settings = {}) {
  ExampleReferences references = read_metric_references(metric, line, settings);
  ExamplePrediction prediction = read_metric_prediction(metric, line, settings, references);
  return {
      .id = read_metric_id(line), .references = std::move(references), .prediction = std::move(prediction)};
}

// Equal or both null, numbers within the tolerance, lists and objects part by part.
inline void check_equal(const Json& found, const Json& expected, double tolerance = kMetricTolerance) {
  if (expected.is_number() && found.is_number()) {
    CHECK(std::abs(found.get<double>() - expected.get<double>()) <= tolerance);
  } else if (expected.is_array() && found.is_array()) {
    REQUIRE(found.size() == expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) check_equal(found[i], expected[i], tolerance);
  } else {
    CHECK(found == expected);
  }
}

// Every expected figure is there. Of figures in pairs the last of a name counts, as in a logger.
inline void check_figures(const Json& found, const Json& expected, double tolerance = kMetricTolerance) {
  Json last = expected;
  if (expected.is_array()) {
    last = Json::object();
    for (const Json& pair : expected) last[pair[0].get<std::string>()] = pair[1];
  }
  for (const auto& [name, value] : last.items()) {
    INFO(name);
    if (!found.contains(name)) {
      FAIL_CHECK("missing");
    } else if (value.is_object()) {
      check_figures(found.at(name), value, tolerance);
    } else {
      check_equal(found.at(name), value, tolerance);
    }
  }
}

// Scores the recorded cases of a metric and compares its totals. `settings_of` of a total, by its "to_lower".
// Returns the scores of all cases.
inline std::map<int, ExampleScore> check_totals(const std::string& name, const std::vector<Json>& cases,
                                                const Json& totals, bool official = true) {
  const Metric& metric = *find_metric(name);
  std::map<int, Json> by_id;
  for (const Json& line : cases) by_id[line.at("id").get<int>()] = line;
  std::map<int, ExampleScore> scores;
  for (const Json& total : totals) {
    const MetricSettings settings{.lower = total.value("to_lower", name == "rsvqa")};
    std::vector<MetricExample> examples;
    const auto add = [&](const Json& line) { examples.push_back(metric_example(metric, line, settings)); };
    if (total.at("cases") == "all") {
      for (const Json& line : cases) add(line);
    } else {
      for (const Json& id : total.at("cases")) add(by_id.at(id.get<int>()));
    }
    const MetricResult result = metric.score(examples, settings);
    check_figures(result.figures, total.at("figures"));
    if (official && total.contains("official")) {
      Json expected = total.at("official");
      expected.erase("error");
      check_figures(result.official, expected);
    }
    REQUIRE(result.examples.size() == examples.size());
    for (std::size_t i = 0; i < examples.size(); ++i) scores[examples[i].id.get<int>()] = result.examples[i];
  }
  return scores;
}

}  // namespace palisade
