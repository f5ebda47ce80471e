#pragma once

#include <filesystem>

#include "base/json.h"
#include "model/config/model_config.h"
#include "model/join/part_checkpoint.h"
#include "model/text/piece_table.h"

namespace palisade {

// A Gemma 1 or 2 in its own layout (GemmaForCausalLM, Gemma2ForCausalLM), which becomes the language model of
// a PaliGemma.
class GemmaFolder {
 public:
  // Throws Error naming what it is instead, or what keeps its vocabulary from being extended.
  explicit GemmaFolder(const std::filesystem::path& folder);

  const TextConfig& config() const { return config_; }
  const Json& stated() const { return stated_; }  // config.json
  int pieces() const { return int(table_.model.pieces.size()); }
  // Rows of the embedding. Rows beyond the tokenizer's pieces are padding.
  int rows() const { return config_.vocabulary; }
  // tokenizer.model as it stands in the file.
  const std::string& tokenizer() const { return table_.bytes; }
  // Tensors are called model.*
  const PartCheckpoint& weights() const { return weights_; }

 private:
  void require_extensible() const;
  void require_tied_head() const;

  std::filesystem::path folder_;
  Json stated_;
  TextConfig config_;
  PieceTable table_;
  PartCheckpoint weights_;
};

inline const std::string kGemmaEmbedding = "model.embed_tokens.weight";

}  // namespace palisade
