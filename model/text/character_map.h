#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace palisade {

// Why a SentencePiece model's precompiled_charsmap cannot be given to the library, which follows it without
// checks; nothing where it can. The layout is normalizer.cc's: the trie's size, a darts-clone double array,
// and the replacements, each ended by a zero byte.
std::optional<std::string> fault_of_character_map(std::string_view map);

}  // namespace palisade
