#pragma once

#include <string_view>
#include <vector>

#include "model/config/model_config.h"
#include "model/text/tokenizer.h"

namespace palisade {

// What a model is taught to say: `suffix` after `prompt`, whose pictures stand before it.
struct ExampleTokens {
  std::vector<TokenId> prompt;  // <bos> prefix "\n"
  std::vector<TokenId> suffix;  // ... <eos>
};

// The newline is tokenised with the prefix, as PaliGemma::prompt_ids does. Text never becomes a control
// token.
ExampleTokens example_tokens(const ModelConfig& config, const Tokenizer& tokenizer, std::string_view prefix,
                             std::string_view suffix);

}  // namespace palisade
