#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace palisade {

// Of tokenizer.model, spiece.model and tokenizer.json alike; Gemma 3's tokenizer.json, the largest there is,
// has 33 MB.
inline constexpr std::size_t kMaxTokenizerBytes = std::size_t(64) << 20;

enum class SentencePieceKind {
  kGemma,   // BPE, identity normalisation; ids 0 <pad>, 1 <eos>, 2 <bos>, 3 <unk>
  kSiglip,  // unigram, a character map allowed; ids 0 <pad>, 1 </s>, 2 <unk>
};

// Numbered as in sentencepiece_model.proto, as all that follows.
enum class PieceType { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6 };

struct SentencePiece {
  std::string_view text;  // of the file's, or whoever made it
  float score = 0;
  PieceType type = PieceType::kNormal;
};

// All of a SentencePiece model that changes what the library does.
struct SentencePieceModel {
  std::vector<SentencePiece> pieces;
  int model_type = 1;  // unigram, also where the file does not say
  bool byte_fallback = false;
  bool treat_whitespace_as_suffix = false;
  std::string_view unknown_surface = " \xe2\x81\x87 ";
  std::string_view character_map;
  bool add_dummy_prefix = true;
  bool remove_extra_whitespaces = true;
  bool escape_whitespaces = true;
};

// What the file holds, as the library would see it. Throws Error beginning with `what` where it is no
// SentencePiece model, or the library would see another one.
SentencePieceModel read_sentencepiece_model(std::string_view file, const std::string& what);

// The library trusts its input. Throws Error beginning with `what` unless the model is
// of this kind, with up to 2^20 pieces of 1 to 512 bytes of valid UTF-8, all different, and a character map
// that the library can follow.
void check_sentencepiece_model(const SentencePieceModel& model, const std::string& what,
                               SentencePieceKind kind = SentencePieceKind::kGemma);

// The same model and nothing else: the one thing that the library is given.
std::string serialized(const SentencePieceModel& model);

}  // namespace palisade
