#include "model/sentencepiece_file.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <unordered_set>

#include "model/character_map.h"
#include "model/error.h"
#include "model/utf8.h"

namespace palisade {
namespace {

constexpr std::size_t kMaxPieces = 1u << 20;
constexpr std::size_t kMaxPieceBytes = 512;
constexpr std::uint64_t kUnknownType = 2;
constexpr std::uint64_t kControlType = 3;
constexpr std::uint64_t kUnigram = 1;  // also where the file does not say
constexpr std::uint64_t kBpe = 2;
constexpr float kMaxScore = 1e6f;

constexpr std::string_view kGemmaFirst[] = {"<pad>", "<eos>", "<bos>", "<unk>"};
constexpr std::string_view kSiglipFirst[] = {"<pad>", "</s>", "<unk>"};

struct Rules {
  std::span<const std::string_view> first;  // the last of them is the unknown piece
  std::uint64_t type;
  bool character_map;
  const char* owner;
};

const Rules& rules_of(SentencePieceKind kind) {
  static const Rules gemma{kGemmaFirst, kBpe, false, "Gemma"}, siglip{kSiglipFirst, kUnigram, true, "SigLIP"};
  return kind == SentencePieceKind::kGemma ? gemma : siglip;
}

struct Broken {
  std::string why;
};

struct Field {
  std::uint32_t number = 0;
  std::uint64_t varint = 0;  // wire type 0
  std::uint32_t fixed = 0;   // wire type 5
  std::string_view bytes;    // wire type 2
  bool is_bytes = false;
};

// One protobuf message, field by field.
class Message {
 public:
  explicit Message(std::string_view bytes) : rest_(bytes) {}

  std::optional<Field> next() {
    if (rest_.empty()) return std::nullopt;
    const std::uint64_t key = varint();
    Field field;
    field.number = std::uint32_t(key >> 3);
    switch (key & 7) {
      case 0:
        field.varint = varint();
        break;
      case 1:
        take(8);
        break;
      case 2:
        field.is_bytes = true;
        field.bytes = take(varint());
        break;
      case 5: {
        const std::string_view four = take(4);
        for (int k = 3; k >= 0; --k) field.fixed = field.fixed << 8 | std::uint8_t(four[k]);
        break;
      }
      default:
        throw Broken{"not a protobuf message"};
    }
    return field;
  }

 private:
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = std::uint8_t(take(1)[0]);
      value |= std::uint64_t(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw Broken{"not a protobuf message"};
  }
  std::string_view take(std::uint64_t count) {
    if (count > rest_.size()) throw Broken{"the file is truncated or no SentencePiece model"};
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  std::string_view rest_;
};

struct Piece {
  std::string_view text;
  std::uint64_t type = 1;
  float score = 0;
};

Piece read_piece(std::string_view bytes) {
  Piece piece;
  Message message(bytes);
  while (const auto field = message.next()) {
    if (field->number == 1 && field->is_bytes) piece.text = field->bytes;
    if (field->number == 2 && !field->is_bytes) piece.score = std::bit_cast<float>(field->fixed);
    if (field->number == 3 && !field->is_bytes) piece.type = field->varint;
  }
  return piece;
}

void check_piece(const std::unordered_set<std::string_view>& pieces, const Piece& piece, const Rules& rules) {
  const std::size_t id = pieces.size(), unknown = rules.first.size() - 1;
  const std::string named = "piece " + std::to_string(id);
  if (id >= kMaxPieces) throw Broken{"more than " + std::to_string(kMaxPieces) + " pieces"};
  if (piece.text.empty() || piece.text.size() > kMaxPieceBytes)
    throw Broken{named + " is empty or longer than 512 bytes"};
  if (piece.text.find('\0') != std::string_view::npos || !valid_utf8(piece.text))
    throw Broken{named + " is no valid text"};
  if (pieces.contains(piece.text)) throw Broken{named + " stands twice"};
  if (piece.type < 1 || piece.type > 6) throw Broken{named + " has an unknown type"};
  if (!(std::abs(piece.score) <= kMaxScore)) throw Broken{named + " has no usable score"};
  if (id <= unknown) {
    const bool right = piece.type == (id == unknown ? kUnknownType : kControlType);
    if (piece.text != rules.first[id] || !right)
      throw Broken{named + " is not " + std::string(rules.first[id]) + ": not " + rules.owner +
                   "'s tokenizer"};
  } else if (piece.type == kUnknownType) {
    throw Broken{named + " is a second unknown piece"};
  }
}

void check_trainer(std::string_view bytes, const Rules& rules) {
  Message message(bytes);
  while (const auto field = message.next()) {
    if (field->number == 3 && field->varint != rules.type) {
      throw Broken{std::string("its type is not ") + (rules.type == kBpe ? "BPE" : "unigram") + ": not " +
                   rules.owner + "'s tokenizer"};
    }
  }
}

// A character map is a serialised trie that the library follows without checks; Gemma's is empty.
void check_normalizer(std::string_view bytes, bool map_allowed) {
  Message message(bytes);
  while (const auto field = message.next()) {
    if (field->number != 2 || field->bytes.empty()) continue;
    if (!map_allowed) throw Broken{"it has a character map where its normalisation is identity"};
    if (const auto fault = fault_of_character_map(field->bytes))
      throw Broken{"its character map is not usable: " + *fault};
  }
}

}  // namespace

void check_sentencepiece_model(std::string_view file, const std::string& what, SentencePieceKind kind) {
  const Rules& rules = rules_of(kind);
  try {
    std::unordered_set<std::string_view> pieces;
    Message model(file);
    while (const auto field = model.next()) {
      if (field->number == 1 && field->is_bytes) {
        const Piece piece = read_piece(field->bytes);
        check_piece(pieces, piece, rules);
        pieces.insert(piece.text);
      } else if (field->number == 2 && field->is_bytes) {
        check_trainer(field->bytes, rules);
      } else if ((field->number == 3 || field->number == 5) && field->is_bytes) {
        // The denormaliser, 5, undoes nothing in either family.
        check_normalizer(field->bytes, rules.character_map && field->number == 3);
      }
    }
    if (pieces.size() < rules.first.size()) throw Broken{"it holds no pieces"};
  } catch (const Broken& broken) {
    throw ModelError(what + ": not a usable SentencePiece model: " + broken.why);
  }
}

}  // namespace palisade
