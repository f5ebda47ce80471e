#include "tasks/certainty/curve_fit.h"

#include <algorithm>
#include <cmath>

namespace palisade {
namespace {

constexpr std::size_t kFolds = 5;
constexpr double kWorthwhile = 0.001;  // by which the calibration error must become less

CertaintyCurve with_temperature(double log_temperature) {
  return {.temperature = std::exp(log_temperature), .points = {}};
}

// The least of a function with one valley between `low` and `high` (golden section).
template <class Function>
double least_of(double low, double high, const Function& function) {
  const double ratio = (std::sqrt(5.0) - 1) / 2;
  double left = high - ratio * (high - low), right = low + ratio * (high - low);
  double at_left = function(left), at_right = function(right);
  for (int i = 0; i < 60; ++i) {
    if (at_left < at_right) {
      high = right, right = left, at_right = at_left;
      left = high - ratio * (high - low), at_left = function(left);
    } else {
      low = left, left = right, at_left = at_right;
      right = low + ratio * (high - low), at_right = function(right);
    }
  }
  return (low + high) / 2;
}

// Neighbours whose shares fall are pooled until none does.
std::vector<CertaintyCurve::Point> isotonic(std::vector<JudgedChoice> choices) {
  std::ranges::sort(choices, {}, &JudgedChoice::p);
  struct Pool {
    double p = 0, right = 0, count = 0;
    double share() const { return right / count; }
  };
  std::vector<Pool> pools;
  for (const JudgedChoice& choice : choices) {
    pools.push_back({choice.p, double(choice.right), 1});
    while (pools.size() > 1 && pools[pools.size() - 2].share() >= pools.back().share()) {
      const Pool last = pools.back();
      pools.pop_back();
      pools.back().p += last.p;
      pools.back().right += last.right;
      pools.back().count += last.count;
    }
  }
  std::vector<CertaintyCurve::Point> points;
  // One more of each kind in every pool: no probability of 0 or 1 follows from a few answers.
  for (const Pool& pool : pools) {
    const double share = (pool.right + pool.p / pool.count) / (pool.count + 1);
    points.push_back({.p = pool.p / pool.count,
                      .becomes = points.empty() ? share : std::max(points.back().becomes, share)});
  }
  return points;
}

std::vector<JudgedAnswer> others(std::span<const JudgedAnswer> answers, std::size_t fold) {
  std::vector<JudgedAnswer> rest;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (i % kFolds != fold) rest.push_back(answers[i]);
  }
  return rest;
}

std::vector<JudgedChoice> cross_fitted(std::span<const JudgedAnswer> answers, CurveShape shape) {
  std::vector<JudgedChoice> after;
  for (std::size_t fold = 0; fold < kFolds; ++fold) {
    const CertaintyCurve curve = fitted_curve(others(answers, fold), shape);
    for (std::size_t i = fold; i < answers.size(); i += kFolds)
      std::ranges::move(judged_choices(answers.subspan(i, 1), curve), std::back_inserter(after));
  }
  return after;
}

}  // namespace

std::vector<JudgedChoice> judged_choices(std::span<const JudgedAnswer> answers) {
  return judged_choices(answers, CertaintyCurve{});
}

std::vector<JudgedChoice> judged_choices(std::span<const JudgedAnswer> answers, const CertaintyCurve& curve) {
  std::vector<JudgedChoice> judged;
  for (const JudgedAnswer& answer : answers) {
    const std::vector<double> values = calibrated(curve, answer.choices);
    const std::size_t count = values.size() == 2 ? 1 : values.size();
    for (std::size_t i = 0; i < count; ++i) judged.push_back({values[i], i == answer.right});
  }
  return judged;
}

CertaintyCurve fitted_curve(std::span<const JudgedAnswer> answers, CurveShape shape) {
  if (shape == CurveShape::kIdentity || answers.empty()) return {};
  const double log_temperature = least_of(std::log(0.05), std::log(20.0), [&](double log_t) {
    return log_loss(judged_choices(answers, with_temperature(log_t)));
  });
  CertaintyCurve curve = with_temperature(log_temperature);
  if (shape == CurveShape::kIsotonic) {
    std::vector<JudgedChoice> choices;
    for (const JudgedAnswer& answer : answers) {
      const std::size_t count = answer.choices.size() == 2 ? 1 : answer.choices.size();
      for (std::size_t i = 0; i < count; ++i)
        choices.push_back({curve.calibrated(answer.choices[i]), i == answer.right});
    }
    curve.points = isotonic(std::move(choices));
  }
  curve.examples = int(answers.size());
  return curve;
}

FitTrial try_fits(std::span<const JudgedAnswer> answers) {
  FitTrial best{.before = judged_choices(answers), .after = cross_fitted(answers, CurveShape::kIdentity)};
  double least_loss = log_loss(best.before), least_error = calibration_error(best.before) - kWorthwhile;
  for (const CurveShape shape : {CurveShape::kTemperature, CurveShape::kIsotonic}) {
    if (shape == CurveShape::kIsotonic && answers.size() < kLeastForIsotonic) continue;
    std::vector<JudgedChoice> after = cross_fitted(answers, shape);
    const double loss = log_loss(after), error = calibration_error(after);
    if (loss >= least_loss || error >= least_error) continue;
    best.shape = shape;
    best.after = std::move(after);
    least_loss = loss;
    least_error = error;
  }
  return best;
}

}  // namespace palisade
