#include "model/join/gemma_folder.h"

#include <algorithm>
#include <cstring>
#include <unordered_set>

#include "base/format.h"
#include "model/config/config_section.h"
#include "model/config/likely_cause.h"
#include "model/config/model_families.h"
#include "model/config/text_config.h"
#include "model/error.h"
#include "model/text/extended_vocabulary.h"
#include "model/weights/tensor_names.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

constexpr char kWantedGemma[] =
    "; --language takes a Gemma 1 or 2 (model_type gemma or gemma2), such as google/gemma-2b or "
    "google/gemma-2-2b";

Json read_gemma_config(const fs::path& folder) {
  require_model_folder(folder);
  const fs::path file = folder / "config.json";
  Json json = read_json(file, 1u << 20);
  const ConfigSection root(json, file.string());
  const std::string type = root.text("model_type", "");
  if (type == "paligemma")
    root.fail("model_type",
              std::string("is \"paligemma\", whose Gemma sees pictures already and is taught further with "
                          "`palisade transfer`") +
                  kWantedGemma);
  if (type != "gemma" && type != "gemma2") root.fail("model_type", about_family(type) + kWantedGemma);
  return json;
}

PieceTable read_gemma_pieces(const fs::path& folder) {
  const fs::path file = folder / "tokenizer.model";
  if (!fs::exists(file))
    throw ModelError(file.string() +
                     ": no such file; PaliGemma's tokens are appended to Gemma's SentencePiece model, and "
                     "tokenizer.json alone is not enough: download tokenizer.model of the same checkpoint");
  return read_piece_table(folder);
}

}  // namespace

GemmaFolder::GemmaFolder(const fs::path& folder)
    : folder_(folder),
      stated_(read_gemma_config(folder)),
      config_(read_text_config(ConfigSection(stated_, (folder / "config.json").string()))),
      table_(read_gemma_pieces(folder)),
      weights_(folder) {
  require_extensible();
  require_tied_head();
}

void GemmaFolder::require_extensible() const {
  const std::string file = (folder_ / "tokenizer.model").string();
  std::unordered_set<std::string_view> known;
  for (const SentencePiece& piece : table_.model.pieces) known.insert(piece.text);
  std::vector<std::string> added = location_and_segment_tokens();
  added.emplace_back(kImageTokenText);
  for (const std::string& text : added) {
    if (known.contains(text))
      throw ModelError(file + ": has " + text +
                       " already, which is to be added; bring a Gemma whose vocabulary nobody has extended");
  }
  if (!table_.past_table.empty())
    throw ModelError(
        format("{}: its files add the token \"{}\" past the {} pieces, where PaliGemma's tokens "
               "are to stand; bring a Gemma whose vocabulary nobody has extended",
               folder_.string(), table_.past_table.front().text, pieces()));
  if (rows() < pieces())
    throw ModelError(
        format("{}: embed_tokens has {} rows (vocab_size), but the tokenizer has {} pieces; "
               "take config.json, weights and tokenizer.model from one checkpoint",
               folder_.string(), rows(), pieces()));
}

// PaliGemma's head is its embedding, and the new rows belong to both. Some files store the head all the same:
// Checkpoint knows it by the embedding's released name then.
void GemmaFolder::require_tied_head() const {
  const std::array<std::int64_t, 2> shape = {config_.vocabulary, config_.width};
  weights_.require(kGemmaEmbedding, shape);
  const auto refuse = [&](const std::string& why) {
    throw ModelError(folder_.string() + ": " + why +
                     ", but PaliGemma's head is the embedding; bring a Gemma whose head is tied to it");
  };
  if (!weights_.stores_head()) {
    if (config_.own_head)
      refuse("tie_word_embeddings is false in config.json and lm_head.weight is not stored");
    return;
  }
  if (!std::ranges::equal(weights_.stored_shape("lm_head.weight"), shape))
    refuse("lm_head.weight has another shape than model.embed_tokens.weight");
  constexpr int kRowsAtOnce = 256;
  const WeightRows embedding = weights_.rows({kGemmaEmbedding}, {shape[0]}, shape[1]),
                   head = weights_.rows({kEmbeddingTensor}, {shape[0]}, shape[1]);
  Matrix one(std::min(kRowsAtOnce, config_.vocabulary), config_.width), other(one.rows(), one.cols());
  for (int first = 0; first < config_.vocabulary; first += kRowsAtOnce) {
    const int count = std::min(kRowsAtOnce, config_.vocabulary - first);
    embedding.read(first, one.view().row_range(0, count));
    head.read(first, other.view().row_range(0, count));
    const auto bytes = std::size_t(count) * std::size_t(one.cols()) * sizeof(float);
    if (std::memcmp(one.data(), other.data(), bytes) != 0)
      refuse("lm_head.weight differs from model.embed_tokens.weight");
  }
}

}  // namespace palisade
