#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "model/config/model_config.h"
#include "model/text/tokenizer.h"

namespace palisade {

// Ids of a whole prompt as transformers' PaliGemma processor makes them, image tokens included, for trusted
// text: each literal "<image>" becomes config.image_tokens() ids and <bos> follows the last of them; without
// any, `images` times as many stand at the front. Then the rest of the text, "\n", and `suffix` with <eos>
// where there is one.
std::vector<TokenId> processor_ids(const ModelConfig& config, const Tokenizer& tokenizer,
                                   std::string_view text, int images,
                                   std::optional<std::string_view> suffix = std::nullopt);

}  // namespace palisade
