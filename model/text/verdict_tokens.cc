#include "model/text/verdict_tokens.h"

#include <set>

#include "model/text/tokenizer.h"

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

std::vector<TokenId> all_but(const std::set<TokenId>& tokens, const std::set<TokenId>& others) {
  std::vector<TokenId> kept;
  for (const TokenId token : tokens) {
    if (!others.contains(token)) kept.push_back(token);
  }
  return kept;
}

}  // namespace

VerdictTokens verdict_tokens(const Tokenizer& tokenizer, std::initializer_list<std::string_view> affirmative,
                             std::initializer_list<std::string_view> negative) {
  const auto yes = first_tokens(tokenizer, affirmative), no = first_tokens(tokenizer, negative);
  return {.affirmative = all_but(yes, no), .negative = all_but(no, yes)};
}

}  // namespace palisade
