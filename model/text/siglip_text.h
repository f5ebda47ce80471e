#pragma once

#include <string>
#include <string_view>

namespace palisade {

// A text as SigLIP was trained on it (transformers, tokenization_siglip.py: tokenize, canonicalize_text):
// lower-cased, ASCII punctuation removed, runs of white space one space, "▁" in front. What is no UTF-8
// becomes U+FFFD. Throws Error where the C library has no UTF-8 case table.
std::string canonical_text(std::string_view text);

}  // namespace palisade
