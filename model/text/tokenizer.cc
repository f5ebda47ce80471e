#include "model/text/tokenizer.h"

#include <algorithm>

#include <sentencepiece_processor.h>

#include "base/json.h"
#include "model/error.h"
#include "model/text/byte_pair_encoder.h"
#include "model/text/piece_table.h"
#include "model/text/sentencepiece_file.h"
#include "model/text/siglip_text.h"

namespace palisade {
namespace {

void load(sentencepiece::SentencePieceProcessor& processor, const SentencePieceModel& model,
          const std::filesystem::path& file) {
  const auto status = processor.LoadFromSerializedProto(serialized(model));
  if (!status.ok())
    throw ModelError(file.string() + ": not a usable SentencePiece model: " + status.ToString());
}

std::vector<TokenId> encode_with(const sentencepiece::SentencePieceProcessor& processor,
                                 std::string_view text) {
  std::vector<int> ids;
  const auto status = processor.Encode({text.data(), text.size()}, &ids);
  if (!status.ok()) throw ModelError("the text cannot be tokenised: " + status.ToString());
  return {ids.begin(), ids.end()};
}

}  // namespace

struct Tokenizer::Parts {
  sentencepiece::SentencePieceProcessor processor;
  std::optional<BytePairEncoder> encoder;  // of tokenizer.json alone; else the processor encodes
  std::vector<AddedToken> past_table;      // by id
  TokenMatcher words;                      // of these, what any text may hold
  TokenMatcher special;                    // all of these, and control tokens

  std::vector<TokenId> encode_plain(std::string_view text) const {
    return encoder ? encoder->encode(text) : encode_with(processor, text);
  }
  // Where the text holds a token of `known`, its id; the rest as plain text.
  std::vector<TokenId> encode(std::string_view text, const TokenMatcher& known) const {
    std::vector<TokenId> ids;
    known.split(
        text,
        [&](std::string_view plain) {
          const auto more = encode_plain(plain);
          ids.insert(ids.end(), more.begin(), more.end());
        },
        [&](const KnownToken& token) { ids.push_back(token.id); });
    return ids;
  }
  const AddedToken* past_table_at(TokenId id) const {
    const auto found = std::ranges::lower_bound(past_table, id, {}, &AddedToken::id);
    return found != past_table.end() && found->id == id ? &*found : nullptr;
  }
};

Tokenizer::Tokenizer(const std::filesystem::path& folder) : parts_(std::make_unique<Parts>()) {
  PieceTable table = read_piece_table(folder);
  load(parts_->processor, table.model, table.file);
  if (table.json) parts_->encoder.emplace(table.model.pieces, table.json->merges);
  std::vector<KnownToken> words, special;
  for (TokenId id = 0; id < piece_count(); ++id) {
    const SentencePiece& piece = table.model.pieces[std::size_t(id)];
    if (piece.type == PieceType::kControl || piece.type == PieceType::kUnknown)
      special.push_back({std::string(piece.text), id});
  }
  for (AddedToken& token : table.past_table) {
    special.push_back({token.text, token.id});
    if (token.special == false) words.push_back({token.text, token.id});
  }
  parts_->words = TokenMatcher(std::move(words));
  parts_->special = TokenMatcher(std::move(special));
  parts_->past_table = std::move(table.past_table);
}

Tokenizer::~Tokenizer() = default;
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;

std::vector<TokenId> Tokenizer::encode(std::string_view text) const {
  return parts_->encode(text, parts_->words);
}

std::vector<TokenId> Tokenizer::encode_with_special(std::string_view text) const {
  return parts_->encode(text, parts_->special);
}

std::string Tokenizer::decode(std::span<const TokenId> ids) const {
  std::string text;
  std::vector<int> pieces;
  const auto decode_pieces = [&] {
    std::string more;
    const auto status = parts_->processor.Decode(pieces, &more);
    if (!status.ok()) throw ModelError("the tokens cannot be turned into text: " + status.ToString());
    text += more;
    pieces.clear();
  };
  for (const TokenId id : ids) {
    if (id >= 0 && id < piece_count()) pieces.push_back(id);
    const AddedToken* const added = parts_->past_table_at(id);
    if (added == nullptr || added->special != false) continue;
    decode_pieces();
    text += added->text;
  }
  decode_pieces();
  return text;
}

std::string Tokenizer::piece(TokenId id) const {
  if (id >= 0 && id < piece_count()) return parts_->processor.IdToPiece(id);
  const AddedToken* const added = parts_->past_table_at(id);
  return added == nullptr ? "" : added->text;
}

std::optional<TokenId> Tokenizer::added_id(std::string_view text) const {
  const auto found = std::ranges::find(parts_->past_table, text, &AddedToken::text);
  return found == parts_->past_table.end() ? std::nullopt : std::optional(found->id);
}

TokenId Tokenizer::last_id() const {
  TokenId last = piece_count() - 1;
  for (const AddedToken& token : parts_->past_table) {
    if (token.special == false) last = std::max(last, token.id);
  }
  return last;
}

int Tokenizer::piece_count() const {
  return parts_->processor.GetPieceSize();
}

struct SiglipTokenizer::Parts {
  sentencepiece::SentencePieceProcessor processor;
  std::size_t sentinel_tokens = 0;
};

namespace {

// transformers (tokenization_siglip.py, _tokenize) encodes behind "<unk>" and drops its tokens, so that the
// first word's leading space survives the normaliser.
constexpr std::string_view kSentinel = "<unk>";

}  // namespace

SiglipTokenizer::SiglipTokenizer(const std::filesystem::path& folder) : parts_(std::make_unique<Parts>()) {
  const auto file = folder / "spiece.model";
  if (!std::filesystem::exists(file))
    throw ModelError(file.string() + ": no such file; the folder needs the checkpoint's SentencePiece model");
  const std::string bytes = read_text_file(file, kMaxTokenizerBytes);
  SentencePieceModel model = read_sentencepiece_model(bytes, file.string());
  check_sentencepiece_model(model, file.string(), SentencePieceKind::kSiglip);
  model.add_dummy_prefix = false;
  load(parts_->processor, model, file);
  parts_->sentinel_tokens = encode_with(parts_->processor, kSentinel).size();
}

SiglipTokenizer::~SiglipTokenizer() = default;
SiglipTokenizer::SiglipTokenizer(SiglipTokenizer&&) noexcept = default;

std::vector<TokenId> SiglipTokenizer::encode(std::string_view text, int length) const {
  auto ids = encode_with(parts_->processor, std::string(kSentinel) + canonical_text(text));
  ids.erase(ids.begin(), ids.begin() + std::ptrdiff_t(std::min(parts_->sentinel_tokens, ids.size())));
  ids.resize(std::min(ids.size(), std::size_t(length - 1)));
  ids.resize(std::size_t(length), eos());
  return ids;
}

int SiglipTokenizer::piece_count() const {
  return parts_->processor.GetPieceSize();
}

}  // namespace palisade
