#include "model/text/character_map.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/utf8.h"

namespace palisade {
namespace {

// The largest maps that SentencePiece itself brings hold 0.2 MB of trie.
constexpr std::size_t kMaxTrieBytes = 2u << 20;
constexpr std::size_t kMaxReplacements = 2u << 20;
constexpr std::size_t kMaxReplacementBytes = 512;
constexpr int kMaxRuleBytes = 64;
// normalizer.h: kMaxTrieResultsSize, the room it has for the rules that one text position matches.
constexpr int kMaxMatches = 32;
constexpr std::uint8_t kUnknown = 255;

struct MalformedMap {
  std::string why;
};

std::uint32_t number_at(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (int k = 3; k >= 0; --k) value = value << 8 | std::uint8_t(bytes[at + k]);
  return value;
}

// The double array as darts.h reads it (DoubleArrayUnit): a unit holds the label that leads to it, the offset
// of its children and whether a value stands at that offset.
class Trie {
 public:
  Trie(std::string_view units, std::string_view replacements)
      : units_(units), replacements_(replacements), most_matches_(units.size() / 4, kUnknown) {}

  // Every path from `state` stays inside, is short, and ends at replacements that are there. Returns the most
  // rules that one text can match on its way. `depth` bytes led here.
  int check(std::size_t state, int depth) {
    if (depth > kMaxRuleBytes) throw MalformedMap{"its trie is deeper than 64 bytes"};
    if (most_matches_[state] != kUnknown) return most_matches_[state];
    const std::uint32_t unit = number_at(units_, state * 4);
    const std::size_t base = state ^ (std::size_t(unit >> 10) << ((unit & (1u << 9)) >> 6));
    // Any byte of a text may be looked up at base ^ byte.
    if ((base | 0xff) >= most_matches_.size()) throw MalformedMap{"its trie leads outside"};
    int most = 0;
    for (std::size_t label = 0; label < 256; ++label) {
      const std::size_t child = base ^ label;
      // A value's top bit is set, so it is no label's unit.
      if ((number_at(units_, child * 4) & 0x800000ff) == label)
        most = std::max(most, check(child, depth + 1));
    }
    const bool has_value = depth > 0 && (unit & 0x100) != 0;
    if (has_value) check_replacement(number_at(units_, base * 4) & 0x7fffffff);
    most += has_value;
    if (most > kMaxMatches) throw MalformedMap{"more than 32 rules match at once"};
    most_matches_[state] = std::uint8_t(most);
    return most;
  }

 private:
  void check_replacement(std::size_t at) const {
    if (at >= replacements_.size()) throw MalformedMap{"a replacement lies outside"};
    const std::size_t end = replacements_.find('\0', at);
    if (end - at > kMaxReplacementBytes || !valid_utf8(replacements_.substr(at, end - at)))
      throw MalformedMap{"a replacement is no valid text"};
  }

  std::string_view units_;
  std::string_view replacements_;
  std::vector<std::uint8_t> most_matches_;  // by state, kUnknown until checked
};

void check_map(std::string_view map) {
  if (map.size() <= 4) throw MalformedMap{"it is truncated"};
  const std::size_t trie_bytes = number_at(map, 0);
  if (trie_bytes % 4 != 0 || trie_bytes < 1024 || trie_bytes > kMaxTrieBytes || trie_bytes >= map.size() - 4)
    throw MalformedMap{"its trie has no usable size"};
  const std::string_view replacements = map.substr(4 + trie_bytes);
  if (replacements.size() > kMaxReplacements || replacements.back() != '\0')
    throw MalformedMap{"its replacements are truncated or larger than 2 MB"};
  Trie(map.substr(4, trie_bytes), replacements).check(0, 0);
}

}  // namespace

std::optional<std::string> fault_of_character_map(std::string_view map) {
  try {
    check_map(map);
  } catch (const MalformedMap& broken) {
    return broken.why;
  }
  return std::nullopt;
}

}  // namespace palisade
