#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "model/token_id.h"

namespace palisade {

// What PaliGemma's vocabulary has after Gemma's: <loc0000> to <loc1023>, then <seg000> to <seg127>
// (big_vision, ops_text: _add_pieces).
std::vector<std::string> location_and_segment_tokens();

// The next one, which no piece table has.
inline constexpr std::string_view kImageTokenText = "<image>";

// A tokenizer.model with `texts` after its pieces, user-defined and of score 0, and trainer_spec.vocab_size
// raised to their number; all else stays as it was, byte for byte. Throws Error beginning with `what` where
// the file is no SentencePiece model.
std::string with_pieces(std::string_view file, std::span<const std::string> texts, const std::string& what);

// A tokenizer.json, which read_tokenizer_json() has checked, with `texts` from the id `first` on and <image>
// after them, and without <bos> in front of every text: PaliGemma's processor places it after the pictures.
Json with_added_tokens(Json tokenizer, std::span<const std::string> texts, TokenId first);
// The same of a tokenizer_config.json.
Json with_decoded_tokens(Json config, std::span<const std::string> texts, TokenId first);

}  // namespace palisade
