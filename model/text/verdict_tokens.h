#pragma once

#include <initializer_list>
#include <string_view>
#include <vector>

#include "model/token_id.h"

namespace palisade {

class Tokenizer;

// The first tokens of both answers to a two-sided question, each written in lower case, with a capital and in
// capitals. A token that begins both sides says nothing and is in neither.
struct VerdictTokens {
  std::vector<TokenId> affirmative;
  std::vector<TokenId> negative;
};
VerdictTokens verdict_tokens(const Tokenizer& tokenizer, std::initializer_list<std::string_view> affirmative,
                             std::initializer_list<std::string_view> negative);

}  // namespace palisade
