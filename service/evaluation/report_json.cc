#include "service/evaluation/evaluation_report.h"

namespace palisade {
namespace {

Json json_of(const std::optional<double>& number) {
  return number ? Json(*number) : Json();
}

Json json_of(const std::optional<ScoreInterval>& interval) {
  return interval ? Json{interval->low, interval->high} : Json();
}

Json json_of(const EvaluatedPart& part) {
  Json json = {{"metric", part.metric->name},
               {"examples", part.examples},
               {"main_figure", part.metric->main_figure},
               {"score", json_of(part.main)},
               {"interval", json_of(part.interval)},
               {"best_constant_answer", json_of(part.constant)},
               {"figures", part.figures}};
  if (!part.group.empty()) json["group"] = part.group;
  return json;
}

Json json_of(const ShownExample& example) {
  return {{"id", example.id},
          {"prompt", example.prompt},
          {"references", example.references},
          {"p", example.p},
          {"prediction", example.prediction},
          {"score", json_of(example.score)},
          {"place", example.place + 1}};
}

Json list_of(const std::vector<ShownExample>& examples) {
  Json list = Json::array();
  for (const ShownExample& example : examples) list.push_back(json_of(example));
  return list;
}

Json calibration_of(const std::vector<JudgedChoice>& judged) {
  if (judged.empty()) return nullptr;
  Json bins = Json::array();
  for (const ReliabilityBin& bin : reliability(judged))
    bins.push_back({{"p", bin.p}, {"right", bin.right}, {"count", bin.count}});
  const ErrorInterval interval = calibration_error_interval(judged);
  return {{"judged", judged.size()},
          {"error", calibration_error(judged)},
          {"interval", {interval.low, interval.high}},
          {"bins", std::move(bins)}};
}

}  // namespace

Json report_json(const EvaluationReport& report) {
  Json metrics = Json::array(), groups = Json::array(), confusion = Json::array(), published;
  for (const EvaluatedPart& part : report.scores.metrics) metrics.push_back(json_of(part));
  for (const EvaluatedPart& part : report.scores.groups) groups.push_back(json_of(part));
  for (const ConfusionTable& table : report.confusion)
    confusion.push_back({{"of", table.title}, {"answers", table.answers}, {"counts", table.counts}});
  if (report.published) {
    Json figures = Json::array();
    for (const ComparedFigure& figure : compared_figures(report))
      figures.push_back({{"figure", figure.name},
                         {"published", json_of(figure.published)},
                         {"reproduced", json_of(figure.reproduced)}});
    published = {{"text", report.published->published}, {"figures", std::move(figures)}};
  }
  const double seconds = report.speed.seconds;
  const auto count = double(report.scores.examples.size());
  return {{"version", 1},
          {"model", to_json(report.model)},
          {"adapter", report.adapter.empty() ? Json() : Json(report.adapter)},
          {"settings", to_json(report.origin.settings)},
          {"data_sha256", report.origin.data_sha256},
          {"examples", report.scores.examples.size()},
          {"failed", report.scores.failed},
          {"metrics", std::move(metrics)},
          {"groups", std::move(groups)},
          {"published", std::move(published)},
          {"calibration", calibration_of(report.judged)},
          {"confusion", std::move(confusion)},
          {"worst", list_of(report.worst)},
          {"most_certain_wrong", list_of(report.certain_wrong)},
          {"speed",
           Json{{"seconds", seconds},
                {"examples_per_second", seconds > 0 ? Json(count / seconds) : Json()},
                {"tokens_per_second", seconds > 0 ? Json(double(report.speed.tokens) / seconds) : Json()},
                {"images_encoded", report.speed.images_encoded},
                {"encode_ms", report.speed.encode_ms},
                {"prefill_ms", report.speed.prefill_ms},
                {"decode_ms", report.speed.decode_ms}}}};
}

}  // namespace palisade
