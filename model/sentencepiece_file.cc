#include "model/sentencepiece_file.h"

#include <cstdint>
#include <optional>
#include <unordered_set>

#include "model/error.h"

namespace palisade {
namespace {

constexpr std::size_t kMaxPieces = 1u << 20;
constexpr std::size_t kMaxPieceBytes = 512;
constexpr std::uint64_t kUnknownType = 2;
constexpr std::uint64_t kControlType = 3;
constexpr std::uint64_t kBpe = 2;

struct Broken {
  std::string why;
};

struct Field {
  std::uint32_t number = 0;
  std::uint64_t varint = 0;  // wire type 0
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
      case 5:
        take(4);
        break;
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

bool valid_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = std::uint8_t(text[i]);
    const int more = lead < 0x80                   ? 0
                     : lead >= 0xc2 && lead < 0xe0 ? 1
                     : lead >= 0xe0 && lead < 0xf0 ? 2
                     : lead >= 0xf0 && lead < 0xf5 ? 3
                                                   : -1;
    if (more < 0 || i + more >= text.size()) return false;
    for (int k = 1; k <= more; ++k) {
      if ((std::uint8_t(text[i + k]) & 0xc0) != 0x80) return false;
    }
    i += more + 1;
  }
  return true;
}

struct Piece {
  std::string_view text;
  std::uint64_t type = 1;
};

Piece read_piece(std::string_view bytes) {
  Piece piece;
  Message message(bytes);
  while (const auto field = message.next()) {
    if (field->number == 1 && field->is_bytes) piece.text = field->bytes;
    if (field->number == 3 && !field->is_bytes) piece.type = field->varint;
  }
  return piece;
}

void check_pieces(const std::unordered_set<std::string_view>& pieces, const Piece& piece, std::size_t id) {
  const std::string named = "piece " + std::to_string(id);
  if (id >= kMaxPieces) throw Broken{"more than " + std::to_string(kMaxPieces) + " pieces"};
  if (piece.text.empty() || piece.text.size() > kMaxPieceBytes)
    throw Broken{named + " is empty or longer than 512 bytes"};
  if (piece.text.find('\0') != std::string_view::npos || !valid_utf8(piece.text))
    throw Broken{named + " is no valid text"};
  if (pieces.contains(piece.text)) throw Broken{named + " stands twice"};
  if (piece.type < 1 || piece.type > 6) throw Broken{named + " has an unknown type"};
  constexpr std::string_view kFirst[] = {"<pad>", "<eos>", "<bos>", "<unk>"};
  if (id < 4 && (piece.text != kFirst[id] || piece.type != (id == 3 ? kUnknownType : kControlType))) {
    throw Broken{named + " is not " + std::string(kFirst[id]) + ": not Gemma's tokenizer"};
  }
  if (id > 3 && piece.type == kUnknownType) throw Broken{named + " is a second unknown piece"};
}

void check_trainer(std::string_view bytes) {
  Message message(bytes);
  while (const auto field = message.next()) {
    if (field->number == 3 && field->varint != kBpe)
      throw Broken{"its type is not BPE: not Gemma's tokenizer"};
  }
}

// A character map is a serialised trie that the library follows without checks; Gemma's is empty.
void check_normalizer(std::string_view bytes) {
  Message message(bytes);
  while (const auto field = message.next()) {
    if (field->number == 2 && !field->bytes.empty())
      throw Broken{"it has a character map; Gemma's normalisation is identity"};
  }
}

}  // namespace

void check_sentencepiece_model(std::string_view file, const std::string& what) {
  try {
    std::unordered_set<std::string_view> pieces;
    Message model(file);
    while (const auto field = model.next()) {
      if (field->number == 1 && field->is_bytes) {
        const Piece piece = read_piece(field->bytes);
        check_pieces(pieces, piece, pieces.size());
        pieces.insert(piece.text);
      } else if (field->number == 2 && field->is_bytes) {
        check_trainer(field->bytes);
      } else if ((field->number == 3 || field->number == 5) && field->is_bytes) {
        check_normalizer(field->bytes);
      }
    }
    if (pieces.size() < 4) throw Broken{"it holds no pieces"};
  } catch (const Broken& broken) {
    throw ModelError(what + ": not a usable SentencePiece model: " + broken.why);
  }
}

}  // namespace palisade
