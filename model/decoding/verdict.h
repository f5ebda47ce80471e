#pragma once

#include "model/paligemma/distribution.h"
#include "model/text/verdict_tokens.h"

namespace palisade {

// What the first step's distribution gives to both sides.
struct Verdict {
  double affirmative = 0;
  double negative = 0;

  double mass() const { return affirmative + negative; }
  // The share of each side in their sum. mass() must be above 0.
  double p_affirmative() const { return affirmative / mass(); }
  double p_negative() const { return negative / mass(); }
};
Verdict verdict_of(const Distribution& first_step, const VerdictTokens& tokens);

}  // namespace palisade
