#include "model/text/piece_table.h"

#include <array>
#include <string_view>
#include <unordered_map>

#include "base/format.h"
#include "base/json.h"
#include "model/error.h"
#include "model/text/byte_pair_encoder.h"

namespace palisade {
namespace {

constexpr std::string_view kImageToken = "<image>";
constexpr TokenId kUnknownId = 3;  // Gemma's; before it are control tokens

// As the SentencePiece model of these would say it. Scores stay out: merges take their place.
SentencePieceModel pieces_of(const TokenizerJson& json, const std::string& what) {
  SentencePieceModel model{
      .model_type = 2, .byte_fallback = true, .add_dummy_prefix = false, .remove_extra_whitespaces = false};
  std::array<bool, 256> bytes{};
  for (const std::string& text : json.vocabulary) {
    const auto id = TokenId(model.pieces.size());
    const int byte = byte_of_piece(text);
    PieceType type = byte >= 0 ? PieceType::kByte : PieceType::kNormal;
    if (id <= kUnknownId) type = id == kUnknownId ? PieceType::kUnknown : PieceType::kControl;
    if (byte >= 0) bytes[std::size_t(byte)] = true;
    model.pieces.push_back({.text = text, .type = type});
  }
  for (std::size_t byte = 0; byte < bytes.size(); ++byte) {
    if (!bytes[byte])
      throw ModelError(
          format("{}: model.vocab: has no piece for byte {}, as byte_fallback needs it", what, byte));
  }
  return model;
}

// A piece that is an added token as well stands for itself wherever its text does.
void place_added(const std::vector<AddedToken>& added, PieceTable& table) {
  for (const AddedToken& token : added) {
    if (token.id >= TokenId(table.model.pieces.size())) {
      table.past_table.push_back(token);
      if (token.text == kImageToken) table.past_table.back().special = true;
      continue;
    }
    PieceType& type = table.model.pieces[std::size_t(token.id)].type;
    if (type == PieceType::kNormal || type == PieceType::kUnused)
      type = token.text == kImageToken ? PieceType::kControl : PieceType::kUserDefined;
  }
}

void require_same_pieces(const TokenizerJson& json, const std::filesystem::path& json_file,
                         const PieceTable& table) {
  const auto& pieces = table.model.pieces;
  std::size_t id = 0;
  while (id < json.vocabulary.size() && id < pieces.size() && json.vocabulary[id] == pieces[id].text) ++id;
  if (id < pieces.size() || id < json.vocabulary.size())
    throw ModelError(
        format("{}: is of another tokenizer than {}: they differ in piece {}; remove the one that the "
               "weights were not trained with",
               json_file.string(), table.file.filename().string(), id));
}

}  // namespace

PieceTable read_piece_table(const std::filesystem::path& folder) {
  PieceTable table{.file = folder / "tokenizer.model"};
  const auto json_file = folder / "tokenizer.json";
  const bool has_model = std::filesystem::exists(table.file), has_json = std::filesystem::exists(json_file);
  if (!has_model && !has_json)
    throw ModelError(table.file.string() +
                     ": no such file; the folder needs the checkpoint's SentencePiece " +
                     "model, or its tokenizer.json");
  if (has_json) table.json = read_tokenizer_json(json_file, has_model);
  if (has_model) {
    table.bytes = read_text_file(table.file, kMaxTokenizerBytes);
    table.model = read_sentencepiece_model(table.bytes, table.file.string());
    if (has_json) require_same_pieces(*table.json, json_file, table);
  } else {
    table.file = json_file;
    table.model = pieces_of(*table.json, json_file.string());
  }

  std::unordered_map<std::string_view, TokenId> ids;
  ids.reserve(table.model.pieces.size());
  for (TokenId id = 0; id < TokenId(table.model.pieces.size()); ++id)
    ids.emplace(table.model.pieces[std::size_t(id)].text, id);
  const auto piece_id = [&](std::string_view text) {
    const auto found = ids.find(text);
    return found == ids.end() ? std::nullopt : std::optional(found->second);
  };
  place_added(read_added_tokens(folder, has_json ? table.json->added : std::vector<AddedToken>(),
                                int(table.model.pieces.size()), piece_id),
              table);
  check_sentencepiece_model(table.model, table.file.string());
  if (has_model) table.json.reset();
  return table;
}

}  // namespace palisade
