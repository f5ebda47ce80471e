#include "model/decoding/verdict.h"

#include <cmath>

namespace palisade {
namespace {

double mass_of(const Distribution& distribution, const std::vector<TokenId>& tokens) {
  double mass = 0;
  for (const TokenId token : tokens) mass += std::exp(distribution.logprob(token));
  return mass;
}

}  // namespace

Verdict verdict_of(const Distribution& first_step, const VerdictTokens& tokens) {
  return {.affirmative = mass_of(first_step, tokens.affirmative),
          .negative = mass_of(first_step, tokens.negative)};
}

}  // namespace palisade
