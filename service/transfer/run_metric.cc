#include "service/transfer/run_metric.h"

#include <cassert>

#include "base/error.h"
#include "service/settings/settings.h"

namespace palisade {

std::string title_of(const Metric& metric) {
  std::string title(metric.name);
  if (metric.main_figure != metric.name) title += " " + std::string(metric.main_figure);
  return title;
}

RunMetric::RunMetric(const Metric& metric, bool lower) : metric_(&metric) {
  settings_.lower = lower;
}

void RunMetric::add(const std::vector<TransferLine>& lines, LineProblems& problems) {
  for (const TransferLine& line : lines) {
    file_ = line.file.string();
    try {
      const Json json = parse_json(line.text, line.place());
      examples_.push_back({.id = json.contains("id") ? read_metric_id(json) : Json(line.number),
                           .references = read_metric_references(*metric_, json, settings_),
                           .prediction = {}});
    } catch (const Error& problem) {
      problems.add(line.number, line.place() + ": " + problem.what());
    }
  }
}

void RunMetric::require_defined() const {
  if (examples_.empty()) throw SettingsError({"metric: name the examples that it is of as evaluation"});
  try {
    score(std::vector<std::string>(examples_.size()));
  } catch (const Error& problem) {
    throw SettingsError({problem.what()});
  }
}

RunMetric::Figures RunMetric::score(const std::vector<std::string>& answers) const {
  assert(answers.size() == examples_.size());
  std::vector<MetricExample> answered = examples_;
  for (std::size_t i = 0; i < answers.size(); ++i) answered[i].prediction.text = answers[i];
  Figures figures{.all = metric_->score(answered, settings_).figures};
  const auto main = figures.all.find(metric_->main_figure);
  if (main == figures.all.end() || !main->is_number())
    throw Error(file_ + ": " + title() +
                " is not defined, because no line says what is right; add \"answers\"");
  figures.score = main->get<double>();
  return figures;
}

}  // namespace palisade
