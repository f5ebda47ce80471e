#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/text/token_matcher.h"

namespace palisade {

// A token that a file names beside the vocabulary.
struct AddedToken {
  std::string text;
  TokenId id = 0;
  std::optional<bool> special;  // never made of text that is not trusted; nothing where the file does not say
  bool normalized = false;      // looked for where spaces are "▁" already
};

// All that a folder says of tokens beside its vocabulary: `of_json` (tokenizer.json), added_tokens.json,
// tokenizer_config.json and special_tokens_map.json, by id. `piece_id` knows the vocabulary, and `pieces` how
// many it has. Throws Error naming file and entry where files disagree, and where one says what changes
// ids or text and is not done here.
std::vector<AddedToken> read_added_tokens(
    const std::filesystem::path& folder, const std::vector<AddedToken>& of_json, int pieces,
    const std::function<std::optional<TokenId>(std::string_view)>& piece_id);

}  // namespace palisade
