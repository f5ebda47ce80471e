#include "model/text/token_matcher.h"

#include <algorithm>
#include <cassert>

namespace palisade {

TokenMatcher::TokenMatcher(std::vector<KnownToken> tokens) : tokens_(std::move(tokens)) {
  std::ranges::sort(tokens_, {}, &KnownToken::text);
  for (const KnownToken& token : tokens_) {
    assert(!token.text.empty());
    ++begins_[std::uint8_t(token.text[0]) + 1];
  }
  for (std::size_t byte = 1; byte < begins_.size(); ++byte) begins_[byte] += begins_[byte - 1];
}

// Those that agree with the text so far are a range of the sorted ones, which every byte narrows.
const KnownToken* TokenMatcher::longest_at(std::string_view text) const {
  if (text.empty()) return nullptr;
  auto first = tokens_.begin() + begins_[std::uint8_t(text[0])];
  auto last = tokens_.begin() + begins_[std::uint8_t(text[0]) + 1];
  const KnownToken* found = nullptr;
  for (std::size_t length = 1; first != last; ++length) {
    if (first->text.size() == length) found = &*first++;
    if (length == text.size()) break;
    const auto next = std::uint8_t(text[length]);
    const auto byte_of = [length](const KnownToken& token) { return std::uint8_t(token.text[length]); };
    first = std::ranges::lower_bound(first, last, next, {}, byte_of);
    last = std::ranges::upper_bound(first, last, next, {}, byte_of);
  }
  return found;
}

}  // namespace palisade
