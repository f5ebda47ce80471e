#include "model/tokenizer.h"

#include <algorithm>
#include <array>

#include <sentencepiece_processor.h>

#include "model/json.h"
#include "model/sentencepiece_file.h"
#include "model/siglip_text.h"

namespace palisade {
namespace {

// A normalizer_spec that says no more than add_dummy_prefix: false. Protobuf merges what stands twice, so
// appended to a model it changes that one setting.
constexpr std::string_view kNoDummyPrefix("\x1a\x02\x18\x00", 4);

void load(sentencepiece::SentencePieceProcessor& processor, const std::filesystem::path& file,
          SentencePieceKind kind) {
  if (!std::filesystem::exists(file)) {
    throw ModelError(file.string() + ": no such file; the folder needs the checkpoint's SentencePiece model");
  }
  std::string model = read_text_file(file, 64u << 20);
  check_sentencepiece_model(model, file.string(), kind);
  if (kind == SentencePieceKind::kSiglip) model += kNoDummyPrefix;
  const auto status = processor.LoadFromSerializedProto(model);
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
  std::vector<std::pair<std::string, TokenId>> special;
};

Tokenizer::Tokenizer(const std::filesystem::path& folder) : parts_(std::make_unique<Parts>()) {
  load(parts_->processor, folder / "tokenizer.model", SentencePieceKind::kGemma);
  for (TokenId id = 0; id < 4; ++id) parts_->special.emplace_back(piece(id), id);

  const auto added = folder / "added_tokens.json";
  if (!std::filesystem::exists(added)) return;
  const Json tokens = read_json(added, 16u << 20);
  if (!tokens.is_object()) throw ModelError(added.string() + ": expected an object of token texts and ids");
  for (const auto& [text, id] : tokens.items()) {
    if (text.empty() || !id.is_number_unsigned() || id.get<std::uint64_t>() > INT32_MAX) {
      throw ModelError(added.string() + ": \"" + text + "\" has no usable id");
    }
    // Tokens that the piece table holds already need no second door.
    if (id.get<TokenId>() >= piece_count()) parts_->special.emplace_back(text, id.get<TokenId>());
  }
}

Tokenizer::~Tokenizer() = default;
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;

std::vector<TokenId> Tokenizer::encode(std::string_view text) const {
  return encode_with(parts_->processor, text);
}

std::vector<TokenId> Tokenizer::encode_with_special(std::string_view text) const {
  std::vector<TokenId> ids;
  while (!text.empty()) {
    std::size_t at = std::string_view::npos;
    const std::pair<std::string, TokenId>* found = nullptr;
    for (const auto& special : parts_->special) {
      const std::size_t position = text.find(special.first);
      if (position < at) {
        at = position;
        found = &special;
      }
    }
    const auto plain = encode(text.substr(0, at));
    ids.insert(ids.end(), plain.begin(), plain.end());
    if (!found) break;
    ids.push_back(found->second);
    text.remove_prefix(at + found->first.size());
  }
  return ids;
}

std::string Tokenizer::decode(std::span<const TokenId> ids) const {
  std::vector<int> known;
  std::copy_if(ids.begin(), ids.end(), std::back_inserter(known),
               [&](TokenId id) { return id >= 0 && id < piece_count(); });
  std::string text;
  const auto status = parts_->processor.Decode(known, &text);
  if (!status.ok()) throw ModelError("the tokens cannot be turned into text: " + status.ToString());
  return text;
}

std::string Tokenizer::piece(TokenId id) const {
  if (id >= 0 && id < piece_count()) return parts_->processor.IdToPiece(id);
  for (const auto& [text, special_id] : parts_->special) {
    if (special_id == id) return text;
  }
  return "";
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
  load(parts_->processor, folder / "spiece.model", SentencePieceKind::kSiglip);
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
