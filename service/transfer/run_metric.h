#pragma once

#include <string>
#include <vector>

#include "service/transfer/transfer_lines.h"
#include "tasks/metrics/metric.h"

namespace palisade {

// The metric and its main figure, as people read them: "vqa acc", "anls".
std::string title_of(const Metric& metric);

// The metric of a run's evaluation, with what is right for each example of all its files.
class RunMetric {
 public:
  struct Figures {
    double score = 0;  // the main figure: higher is better
    Json all;          // by name
  };

  RunMetric(const Metric& metric, bool lower);

  // Reads what the metric needs of more lines; what is missing there is added to `problems` with file and
  // line.
  void add(const std::vector<TransferLine>& lines, LineProblems& problems);
  // Throws SettingsError where the metric has no figure, whatever the answers.
  void require_defined() const;

  std::string title() const { return title_of(*metric_); }
  // Of one answer a line, in the order in which they were added. Throws Error where no line says what is
  // right.
  Figures score(const std::vector<std::string>& answers) const;

 private:
  const Metric* metric_;
  MetricSettings settings_;
  std::string file_;
  std::vector<MetricExample> examples_;
};

}  // namespace palisade
