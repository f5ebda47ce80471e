#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace palisade {

enum class SentencePieceKind {
  kGemma,   // BPE, identity normalisation; ids 0 <pad>, 1 <eos>, 2 <bos>, 3 <unk>
  kSiglip,  // unigram, a character map allowed; ids 0 <pad>, 1 </s>, 2 <unk>
};

// What a SentencePiece model must be before the library is given it: the library trusts its input (faults.md
// Walks the protobuf (sentencepiece_model.proto) and throws ModelError beginning with `what` unless it
// is of this kind, up to 2^20 pieces of 1 to 512 bytes of valid UTF-8, all different, and a character map
// that the library can follow.
void check_sentencepiece_model(std::string_view file, const std::string& what,
                               SentencePieceKind kind = SentencePieceKind::kGemma);

}  // namespace palisade
