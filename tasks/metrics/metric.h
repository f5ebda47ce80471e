#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "tasks/metrics/example.h"

namespace palisade {

// What a metric needs beside the examples.
struct MetricSettings {
  bool lower = false;                              // answers and predictions in lower case, where it matters
  std::map<std::int64_t, std::string> categories;  // detection: id to label
  bool other_categories = false;  // a found object may be of none of them, where the data does not name all
  std::function<std::vector<float>(std::span<const int>)> decode_mask;  // segmentation: MaskDecoder::decode
};

// What is said of one example. Scores are numbers, lists of them, or null where a score is not defined.
struct ExampleScore {
  Json scores = Json::object();   // {"acc": 1.0, ...}, under the names of the reference
  Json details = Json::object();  // what was compared: {"as_compared": "two", ...}
};

struct MetricResult {
  std::vector<ExampleScore> examples;  // in the order of the examples
  Json figures = Json::object();       // {"acc": 0.5, "num": 4.0, ...}: those of big_vision, then others
  Json official = Json::object();      // those of the data set's own script, which figures hold as well
};

// A published metric: a pure function of examples, whose figures equal the reference implementation's
// (docs/evaluate.md names it). All metrics are in one table.
struct Metric {
  std::string_view name;         // of --metric
  std::string_view main_figure;  // the one that is published; higher is better in every metric
  // The score of an example of which main_figure is the mean; empty where it is no mean.
  std::string_view main_score;
  double published_scale;  // main_figure times this is what papers print
  bool ids_repeat;         // examples of one id are one: references add up, the last prediction counts
  bool of_objects;         // references and predictions may be objects of pictures
  // Reads the references of a line of the data; throws Error naming the key, without file and line.
  void (*read)(const Json& line, const MetricSettings& settings, ExampleReferences& references);
  MetricResult (*score)(std::span<const MetricExample> examples, const MetricSettings& settings);
};

std::span<const Metric> all_metrics();
const Metric* find_metric(std::string_view name);  // nullptr when there is none

// The "id" of a line: text or a whole number. These throw Error naming the key and the remedy, without file
// and line.
Json read_metric_id(const Json& line);
// What a line of the data says of its example, as `metric` needs it. For detection every line is given to
// collect_categories() first.
ExampleReferences read_metric_references(const Metric& metric, const Json& line,
                                         const MetricSettings& settings);
// A line of a file of predictions, {"id", "prediction"}, for an example; null is a missing one.
ExamplePrediction read_metric_prediction(const Metric& metric, const Json& line,
                                         const MetricSettings& settings, const ExampleReferences& references);

}  // namespace palisade
