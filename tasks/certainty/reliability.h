#pragma once

#include <span>
#include <vector>

namespace palisade {

// A choice of an answer: the probability it was given, and whether it is the right one.
struct JudgedChoice {
  double p = 0;
  bool right = false;
};

// Judged choices of similar probability.
struct ReliabilityBin {
  double p = 0;      // their mean probability
  double right = 0;  // the share that is right
  int count = 0;
};

// Of `bins` equal parts of 0 to 1; without the empty ones.
std::vector<ReliabilityBin> reliability(std::span<const JudgedChoice> choices, int bins = 15);

// Expected calibration error: the mean distance of both, each bin by its count (Guo et al., arXiv
// 1706.04599, equation 3). 0 where there is nothing.
double calibration_error(std::span<const JudgedChoice> choices, int bins = 15);

// Between which 95 of 100 such errors lie, where the choices are drawn again from these, with replacement.
struct ErrorInterval {
  double low = 0;
  double high = 0;
};
ErrorInterval calibration_error_interval(std::span<const JudgedChoice> choices, int draws = 1000);

// The mean negative log-likelihood, natural.
double log_loss(std::span<const JudgedChoice> choices);

}  // namespace palisade
