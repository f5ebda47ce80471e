#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "model/text/added_tokens.h"
#include "model/text/byte_pair_encoder.h"

namespace palisade {

// What current tools write instead of tokenizer.model: Gemma's vocabulary, merges and added tokens.
struct TokenizerJson {
  std::vector<std::string> vocabulary;  // by id
  std::vector<TokenMerge> merges;       // the first goes first
  std::vector<AddedToken> added;
};

// Throws Error naming file and entry unless the file means what Gemma's SentencePiece model does: other
// models, normalizers, pre-tokenizers, decoders and settings that change ids or text are refused by name.
// `beside_model`: tokenizer.model says all that, and merges are not read.
TokenizerJson read_tokenizer_json(const std::filesystem::path& file, bool beside_model);

}  // namespace palisade
