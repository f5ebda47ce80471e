#include "tasks/certainty/certainty_curve.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/format.h"
#include "base/sha256.h"

namespace palisade {
namespace {

constexpr int kFormat = 1;
constexpr double kLeastP = 1e-9;  // probabilities of 0 and 1 have no log-odds
constexpr std::size_t kMaxCurves = 10'000, kMaxPoints = 10'000;

double tempered(double p, double temperature) {
  const double within = std::clamp(p, kLeastP, 1 - kLeastP);
  return 1 / (1 + std::exp(-std::log(within / (1 - within)) / temperature));
}

double between(std::span<const CertaintyCurve::Point> points, double p) {
  const auto after = std::ranges::lower_bound(points, p, {}, &CertaintyCurve::Point::p);
  if (after == points.begin()) return points.front().becomes;
  if (after == points.end()) return points.back().becomes;
  const auto before = after - 1;
  const double width = after->p - before->p;
  if (!(width > 0)) return after->becomes;
  return before->becomes + (after->becomes - before->becomes) * (p - before->p) / width;
}

CertaintyCurve curve_of(const Json& json) {
  CertaintyCurve curve{.prompt = json.value("prompt", ""),
                       .task = json.at("task").get<std::string>(),
                       .adapter = json.value("adapter", ""),
                       .temperature = json.at("temperature").get<double>(),
                       .examples = json.value("examples", 0)};
  if (!(curve.temperature >= 0.01 && curve.temperature <= 100))
    throw Error(format("a temperature of {}; it is from 0.01 to 100", curve.temperature));
  if (json.contains("points")) {
    for (const Json& point : json.at("points"))
      curve.points.push_back({.p = point.at(0).get<double>(), .becomes = point.at(1).get<double>()});
  }
  if (curve.points.size() > kMaxPoints) throw Error("a curve of too many points");
  CertaintyCurve::Point last{};
  for (const CertaintyCurve::Point& point : curve.points) {
    if (!(point.p >= last.p && point.p <= 1 && point.becomes >= last.becomes && point.becomes <= 1))
      throw Error("a curve whose points do not ascend from 0 to 1");
    last = point;
  }
  return curve;
}

}  // namespace

double CertaintyCurve::calibrated(double p) const {
  const double first = tempered(p, temperature);
  return points.empty() ? first : std::clamp(between(points, first), 0.0, 1.0);
}

std::vector<double> calibrated(const CertaintyCurve& curve, std::span<const double> choices) {
  std::vector<double> values;
  // Of two choices the second is what the first is not.
  if (choices.size() == 2) {
    const double first = curve.calibrated(choices[0]);
    return {first, 1 - first};
  }
  double sum = 0;
  for (const double p : choices) sum += values.emplace_back(curve.calibrated(p));
  for (double& value : values) value = sum > 0 ? value / sum : 1 / double(values.size());
  return values;
}

const CertaintyCurve* CertaintyCurves::find(const std::string& prompt, const std::string& task,
                                            const std::string& adapter) const {
  const CertaintyCurve* found = nullptr;
  for (const CertaintyCurve& curve : curves) {
    if (curve.adapter != adapter) continue;
    if (curve.prompt == prompt && !prompt.empty()) return &curve;
    if (curve.prompt.empty() && curve.task == task) found = &curve;
  }
  return found;
}

Json to_json(const CertaintyCurves& all) {
  Json curves = Json::array();
  for (const CertaintyCurve& curve : all.curves) {
    Json json = {{"task", curve.task}, {"temperature", curve.temperature}, {"examples", curve.examples}};
    if (!curve.prompt.empty()) json["prompt"] = curve.prompt;
    if (!curve.adapter.empty()) json["adapter"] = curve.adapter;
    for (const CertaintyCurve::Point& point : curve.points)
      json["points"].push_back(Json::array({point.p, point.becomes}));
    curves.push_back(std::move(json));
  }
  return {{"format", kFormat},
          {"model", {{"id", all.model}, {"sha256", all.model_sha256}, {"precision", all.precision}}},
          {"curves", std::move(curves)}};
}

CertaintyCurves certainty_curves_of(const Json& json, const std::string& what) {
  try {
    if (json.at("format").get<int>() != kFormat) throw Error("of a newer Palisade");
    const Json& model = json.at("model");
    CertaintyCurves all{.model = model.at("id").get<std::string>(),
                        .model_sha256 = model.value("sha256", ""),
                        .precision = model.value("precision", "")};
    if (json.at("curves").size() > kMaxCurves) throw Error("too many curves");
    for (const Json& curve : json.at("curves")) all.curves.push_back(curve_of(curve));
    const std::string text = json.dump();
    all.id = sha256_hex(std::as_bytes(std::span(text))).substr(0, 16);
    return all;
  } catch (const Json::exception& error) {
    throw Error(format("{}: not a file of `palisade calibrate-answers`: {}", what, error.what()));
  } catch (const Error& error) {
    throw Error(format("{}: {}", what, error.what()));
  }
}

}  // namespace palisade
