#pragma once

#include <span>
#include <vector>

#include "tasks/certainty/certainty_curve.h"
#include "tasks/certainty/reliability.h"

namespace palisade {

// An answer whose right choice is known: the probabilities of all choices, and which is right.
struct JudgedAnswer {
  std::vector<double> choices;
  std::size_t right = 0;
};

// The judged choices of answers: of two choices the first alone, which says it all; else every one.
std::vector<JudgedChoice> judged_choices(std::span<const JudgedAnswer> answers);
// The same as a curve makes them.
std::vector<JudgedChoice> judged_choices(std::span<const JudgedAnswer> answers, const CertaintyCurve& curve);

enum class CurveShape { kIdentity, kTemperature, kIsotonic };

// The temperature of the least log loss, and for kIsotonic on top of it the curve that never falls of the
// least squares (pool adjacent violators).
CertaintyCurve fitted_curve(std::span<const JudgedAnswer> answers, CurveShape shape);

// What a fit is worth, measured on answers that it was not fitted to: five times on a fifth of them.
struct FitTrial {
  CurveShape shape = CurveShape::kIdentity;  // that was best
  std::vector<JudgedChoice> before;          // all judged choices
  std::vector<JudgedChoice> after;           // each as the fit to the other four fifths makes it
};
// Chooses a shape: a curve only from kLeastForIsotonic answers on, and anything but the identity only where
// it makes both the log loss and the calibration error less.
inline constexpr std::size_t kLeastForIsotonic = 500;
FitTrial try_fits(std::span<const JudgedAnswer> answers);

}  // namespace palisade
