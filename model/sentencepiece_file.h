#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace palisade {

// What a SentencePiece model must be before the library is given it: the library trusts its input (faults.md
// Walks the protobuf (sentencepiece_model.proto) and throws ModelError beginning with `what` unless it
// is a BPE model with identity normalisation, up to 2^20 pieces of 1 to 512 bytes of valid UTF-8, all
// different, with the ids 0 <pad>, 1 <eos>, 2 <bos>, 3 <unk>.
void check_sentencepiece_model(std::string_view file, const std::string& what);

}  // namespace palisade
