#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "service/evaluation/bootstrap.h"
#include "service/evaluation/evaluation_answer.h"
#include "service/evaluation/evaluation_lines.h"
#include "service/evaluation/evaluation_settings.h"
#include "tasks/metrics/metric.h"

namespace palisade {

// Examples of one metric, of one group or of all, and what came of them.
struct EvaluatedPart {
  std::string group;  // empty: all of the metric
  const Metric* metric = nullptr;
  std::size_t examples = 0;
  Json figures = Json::object();
  std::optional<double> main;             // the main figure, where it is defined
  std::optional<ScoreInterval> interval;  // of it
  // Of examples with one answer or the most frequent of several: what the best constant answer would have,
  // and how many different ones there are. Nothing where answers are boxes or captions.
  std::optional<double> constant;
  std::size_t answers = 0;
};

// The score by which examples of a metric are told apart; empty where they have none.
std::string_view score_name(const Metric& metric);

// The first of those that come most often; empty where there is none.
std::string most_frequent(const std::vector<std::string>& answers);

// One example, in the order of the data. Small: there is one for each line.
struct EvaluatedExample {
  std::optional<float> score;  // its main score, where its metric has one for each example
  float p = 0;                 // of the answer
  std::uint16_t part = 0;      // its place in `groups`, or where there are none in `metrics`
  bool judged = false;         // right or wrong
  bool right = false;
  bool failed = false;  // it could not be asked
};

struct EvaluationScores {
  std::vector<EvaluatedPart> metrics;  // the one of --metric first
  std::vector<EvaluatedPart> groups;   // in the order of their names; none where there are no groups
  std::vector<EvaluatedExample> examples;
  std::vector<Json> scores;  // of each example, under the names of its metric
  std::size_t failed = 0;    // could not be asked
};

// Collects answers and scores them. Figures are the same in whatever order they come: they are added up in
// the order of their ids.
class EvaluationScorer {
 public:
  explicit EvaluationScorer(const EvaluationSettings& settings);
  ~EvaluationScorer();
  EvaluationScorer(const EvaluationScorer&) = delete;
  EvaluationScorer& operator=(const EvaluationScorer&) = delete;

  // The first look at a line, before any add(): throws Error, without file and line, where its metric cannot
  // use it.
  void look(const EvaluationLine& line);
  // The same for {"categories": [{"id", "name"}, ...]}.
  void look_at_categories(const Json& line);
  // After the last look: throws Error where objects have a category's number and nothing tells its name.
  void require_names() const;
  void add(const EvaluationLine& line, const EvaluationAnswer& answer);
  std::size_t size() const;
  // The main figure of the first metric so far; nothing where there is none yet. Metrics of a whole corpus
  // are computed anew only now and then.
  std::optional<double> score_so_far();
  const Metric& first_metric() const;  // that of --metric, or where no line has it, of the first line
  // Once, after all are added.
  EvaluationScores finish();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace palisade
