#include "model/train/example.h"

#include <string>

namespace palisade {

ExampleTokens example_tokens(const ModelConfig& config, const Tokenizer& tokenizer, std::string_view prefix,
                             std::string_view suffix) {
  ExampleTokens tokens{{config.bos_token}, tokenizer.encode(suffix)};
  const auto text = tokenizer.encode(std::string(prefix) + "\n");
  tokens.prompt.insert(tokens.prompt.end(), text.begin(), text.end());
  tokens.suffix.push_back(tokenizer.eos());
  return tokens;
}

}  // namespace palisade
