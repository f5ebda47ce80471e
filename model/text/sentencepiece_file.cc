#include "model/text/sentencepiece_file.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <unordered_set>

#include "base/format.h"
#include "base/utf8.h"
#include "model/error.h"
#include "model/text/character_map.h"
#include "model/text/protobuf.h"

namespace palisade {
namespace {

constexpr std::size_t kMaxPieces = 1u << 20;
constexpr std::size_t kMaxPieceBytes = 512;
constexpr std::size_t kMaxSurfaceBytes = 64;
// The library builds tries of the texts, which take dozens of bytes for each of theirs. Gemma's 256,000
// pieces have 2 MB.
constexpr std::size_t kMaxTextBytes = 16u << 20;
constexpr std::size_t kMaxUserDefinedBytes = 1u << 20;
// normalizer.cc: kResultSize, the room it has for user-defined pieces that begin at one place of a text; it
// reads past it where there are more.
constexpr std::size_t kMaxNested = 64;
constexpr int kUnigram = 1;
constexpr int kBpe = 2;
constexpr float kMaxScore = 1e6f;

constexpr std::string_view kGemmaFirst[] = {"<pad>", "<eos>", "<bos>", "<unk>"};
constexpr std::string_view kSiglipFirst[] = {"<pad>", "</s>", "<unk>"};

struct Rules {
  std::span<const std::string_view> first;  // the last of them is the unknown piece
  int type;
  bool character_map;
  const char* owner;
};

const Rules& rules_of(SentencePieceKind kind) {
  static const Rules gemma{kGemmaFirst, kBpe, false, "Gemma"}, siglip{kSiglipFirst, kUnigram, true, "SigLIP"};
  return kind == SentencePieceKind::kGemma ? gemma : siglip;
}

using BrokenModel = MalformedProtobuf;

// A field that we know has the kind that the format says: the library passes over others.
void require_kind(const ProtobufField& field, ProtobufKind kind) {
  if (field.kind != kind)
    throw BrokenModel{format("its field {} is of another kind than in SentencePiece", field.number)};
}

std::string_view bytes_of(const ProtobufField& field) {
  require_kind(field, ProtobufKind::kBytes);
  return field.bytes;
}

bool flag_of(const ProtobufField& field) {
  require_kind(field, ProtobufKind::kVarint);
  if (field.value > 1) throw BrokenModel{format("its field {} is neither 0 nor 1", field.number)};
  return field.value == 1;
}

// Of a list that begins with 1. The library drops others, and keeps what was there before.
int choice_of(const ProtobufField& field, int most, const std::string& named) {
  require_kind(field, ProtobufKind::kVarint);
  if (field.value < 1 || field.value > std::uint64_t(most)) throw BrokenModel{named + " has an unknown type"};
  return int(field.value);
}

// Where a field that is one stands twice the last counts, and two messages that are one are merged: so does
// every protobuf library. Fields that no version of the library used here knows are left out.
SentencePiece read_piece(std::string_view bytes, const std::string& named) {
  SentencePiece piece;
  ProtobufReader message(bytes);
  while (const auto field = message.next()) {
    if (field->number == 1) piece.text = bytes_of(*field);
    if (field->number == 2) {
      require_kind(*field, ProtobufKind::kFixed32);
      piece.score = std::bit_cast<float>(std::uint32_t(field->value));
    }
    if (field->number == 3) piece.type = PieceType(choice_of(*field, 6, named));
  }
  return piece;
}

void read_trainer(std::string_view bytes, SentencePieceModel& model) {
  ProtobufReader message(bytes);
  while (const auto field = message.next()) {
    if (field->number == 3) model.model_type = choice_of(*field, 4, "it");
    if (field->number == 24) model.treat_whitespace_as_suffix = flag_of(*field);
    if (field->number == 35) model.byte_fallback = flag_of(*field);
    if (field->number == 44) model.unknown_surface = bytes_of(*field);
  }
}

void read_normalizer(std::string_view bytes, SentencePieceModel& model) {
  ProtobufReader message(bytes);
  while (const auto field = message.next()) {
    if (field->number == 2) model.character_map = bytes_of(*field);
    if (field->number == 3) model.add_dummy_prefix = flag_of(*field);
    if (field->number == 4) model.remove_extra_whitespaces = flag_of(*field);
    if (field->number == 5) model.escape_whitespaces = flag_of(*field);
  }
}

// Its self-test, 4, is the maker's: it says nothing of what the model does.
SentencePieceModel read_model(std::string_view file) {
  SentencePieceModel model, denormalizer;
  ProtobufReader message(file);
  while (const auto field = message.next()) {
    switch (field->number) {
      case 1:
        if (model.pieces.size() >= kMaxPieces) throw BrokenModel{format("more than {} pieces", kMaxPieces)};
        model.pieces.push_back(read_piece(bytes_of(*field), format("piece {}", model.pieces.size())));
        break;
      case 2:
        read_trainer(bytes_of(*field), model);
        break;
      case 3:
        read_normalizer(bytes_of(*field), model);
        break;
      case 5:
        // The denormaliser undoes nothing in either family.
        read_normalizer(bytes_of(*field), denormalizer);
        break;
      default:
        break;
    }
  }
  if (!denormalizer.character_map.empty()) throw BrokenModel{"it has a character map for what is decoded"};
  return model;
}

void check_piece(const SentencePiece& piece, std::size_t id, const Rules& rules) {
  const std::size_t unknown = rules.first.size() - 1;
  const std::string named = format("piece {}", id);
  if (piece.text.empty() || piece.text.size() > kMaxPieceBytes)
    throw BrokenModel{named + " is empty or longer than 512 bytes"};
  if (piece.text.find('\0') != std::string_view::npos || !valid_utf8(piece.text))
    throw BrokenModel{named + " is no valid text"};
  if (!(std::abs(piece.score) <= kMaxScore)) throw BrokenModel{named + " has no usable score"};
  if (id <= unknown) {
    const bool right = piece.type == (id == unknown ? PieceType::kUnknown : PieceType::kControl);
    if (piece.text != rules.first[id] || !right)
      throw BrokenModel{named + " is not " + std::string(rules.first[id]) + ": not " + rules.owner +
                        "'s tokenizer"};
  } else if (piece.type == PieceType::kUnknown) {
    throw BrokenModel{named + " is a second unknown piece"};
  }
}

void check_user_defined(std::vector<std::string_view> texts) {
  std::ranges::sort(texts);
  std::vector<std::string_view> open;  // each begins with the one before it
  for (const std::string_view text : texts) {
    while (!open.empty() && !text.starts_with(open.back())) open.pop_back();
    open.push_back(text);
    if (open.size() > kMaxNested) throw BrokenModel{"more than 64 user-defined pieces begin with each other"};
  }
}

void check_pieces(const std::vector<SentencePiece>& pieces, const Rules& rules) {
  std::unordered_set<std::string_view> texts;
  texts.reserve(pieces.size());
  std::vector<std::string_view> user_defined;
  std::size_t bytes = 0, user_defined_bytes = 0;
  for (std::size_t id = 0; id < pieces.size(); ++id) {
    const SentencePiece& piece = pieces[id];
    check_piece(piece, id, rules);
    if (!texts.insert(piece.text).second) throw BrokenModel{format("piece {} stands twice", id)};
    bytes += piece.text.size();
    if (piece.type != PieceType::kUserDefined) continue;
    user_defined.push_back(piece.text);
    user_defined_bytes += piece.text.size();
  }
  if (pieces.size() < rules.first.size()) throw BrokenModel{"it holds no pieces"};
  if (bytes > kMaxTextBytes || user_defined_bytes > kMaxUserDefinedBytes)
    throw BrokenModel{
        "its pieces are more than 16 MB of text, or those that are user-defined more than 1 MB"};
  check_user_defined(std::move(user_defined));
}

// A character map is a serialised trie that the library follows without checks; Gemma's is empty.
void check(const SentencePieceModel& model, const Rules& rules) {
  check_pieces(model.pieces, rules);
  if (model.model_type != rules.type) {
    throw BrokenModel{std::string("its type is not ") + (rules.type == kBpe ? "BPE" : "unigram") + ": not " +
                      rules.owner + "'s tokenizer"};
  }
  const std::string_view surface = model.unknown_surface;
  if (surface.size() > kMaxSurfaceBytes || surface.find('\0') != std::string_view::npos ||
      !valid_utf8(surface))
    throw BrokenModel{"what it writes for unknown pieces is no valid text of up to 64 bytes"};
  if (model.character_map.empty()) return;
  if (!rules.character_map) throw BrokenModel{"it has a character map where its normalisation is identity"};
  if (const auto fault = fault_of_character_map(model.character_map))
    throw BrokenModel{"its character map is not usable: " + *fault};
}

}  // namespace

SentencePieceModel read_sentencepiece_model(std::string_view file, const std::string& what) {
  try {
    return read_model(file);
  } catch (const BrokenModel& broken) {
    throw ModelError(what + ": not a usable SentencePiece model: " + broken.why);
  }
}

void check_sentencepiece_model(const SentencePieceModel& model, const std::string& what,
                               SentencePieceKind kind) {
  try {
    check(model, rules_of(kind));
  } catch (const BrokenModel& broken) {
    throw ModelError(what + ": not a usable SentencePiece model: " + broken.why);
  }
}

std::string serialized(const SentencePieceModel& model) {
  ProtobufWriter all;
  for (const SentencePiece& piece : model.pieces) {
    ProtobufWriter one;
    one.add_bytes(1, piece.text);
    one.add_float(2, piece.score);
    one.add_varint(3, std::uint64_t(piece.type));
    all.add_bytes(1, one.message());
  }
  ProtobufWriter trainer, normalizer;
  trainer.add_varint(3, std::uint64_t(model.model_type));
  trainer.add_varint(24, model.treat_whitespace_as_suffix);
  trainer.add_varint(35, model.byte_fallback);
  trainer.add_bytes(44, model.unknown_surface);
  all.add_bytes(2, trainer.message());
  normalizer.add_bytes(2, model.character_map);
  normalizer.add_varint(3, model.add_dummy_prefix);
  normalizer.add_varint(4, model.remove_extra_whitespaces);
  normalizer.add_varint(5, model.escape_whitespaces);
  all.add_bytes(3, normalizer.message());
  return all.message();
}

}  // namespace palisade
