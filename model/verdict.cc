#include "model/verdict.h"

#include <cmath>
#include <set>

namespace palisade {
namespace {

std::set<TokenId> first_tokens(const Tokenizer& tokenizer, std::initializer_list<std::string_view> words) {
  std::set<TokenId> tokens;
  for (const std::string_view word : words) {
    const std::vector<TokenId> ids = tokenizer.encode(word);
    if (!ids.empty()) tokens.insert(ids.front());
  }
  return tokens;
}

std::vector<TokenId> without(const std::set<TokenId>& tokens, const std::set<TokenId>& others) {
  std::vector<TokenId> kept;
  for (const TokenId token : tokens) {
    if (!others.contains(token)) kept.push_back(token);
  }
  return kept;
}

double mass_of(const Distribution& distribution, const std::vector<TokenId>& tokens) {
  double mass = 0;
  for (const TokenId token : tokens) mass += std::exp(distribution.logprob(token));
  return mass;
}

}  // namespace

VerdictTokens verdict_tokens(const Tokenizer& tokenizer, std::initializer_list<std::string_view> affirmative,
                             std::initializer_list<std::string_view> negative) {
  const auto yes = first_tokens(tokenizer, affirmative), no = first_tokens(tokenizer, negative);
  return {.affirmative = without(yes, no), .negative = without(no, yes)};
}

Verdict verdict_of(const Distribution& first_step, const VerdictTokens& tokens) {
  return {.affirmative = mass_of(first_step, tokens.affirmative),
          .negative = mass_of(first_step, tokens.negative)};
}

}  // namespace palisade
