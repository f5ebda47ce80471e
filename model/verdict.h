#pragma once

#include <initializer_list>
#include <string_view>
#include <vector>

#include "model/distribution.h"
#include "model/tokenizer.h"

namespace palisade {

// The first tokens of both answers to a two-sided question, each written in lower case, with a capital and in
// capitals. A token that begins both sides says nothing and is in neither.
struct VerdictTokens {
  std::vector<TokenId> affirmative;
  std::vector<TokenId> negative;
};
VerdictTokens verdict_tokens(const Tokenizer& tokenizer, std::initializer_list<std::string_view> affirmative,
                             std::initializer_list<std::string_view> negative);

// What the first step's distribution gives to both sides.
struct Verdict {
  double affirmative = 0;
  double negative = 0;

  double mass() const { return affirmative + negative; }
  // Of the two sides alone; asked only where mass() is more than nothing.
  double p_affirmative() const { return affirmative / mass(); }
  double p_negative() const { return negative / mass(); }
};
Verdict verdict_of(const Distribution& first_step, const VerdictTokens& tokens);

}  // namespace palisade
