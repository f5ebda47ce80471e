#include "model/text/byte_pair_encoder.h"

#include <algorithm>
#include <cassert>
#include <queue>

#include "base/utf8.h"

namespace palisade {
namespace {

constexpr std::string_view kSpaceSymbol = "\xe2\x96\x81", kReplacementText = "\xef\xbf\xbd";

std::uint64_t pair_of(TokenId left, TokenId right) {
  return std::uint64_t(std::uint32_t(left)) << 32 | std::uint32_t(right);
}

std::string normalized(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const auto point = next_code_point(text);
    const std::size_t bytes = point ? point->bytes : 1;
    if (!point) {
      result += kReplacementText;
    } else if (point->value == U' ') {
      result += kSpaceSymbol;
    } else {
      result += text.substr(0, bytes);
    }
    text.remove_prefix(bytes);
  }
  return result;
}

// Neighbours in a list of what is left; one that was taken by its left neighbour is gone.
struct Symbol {
  TokenId id;
  int previous, next;
  bool gone = false;
};

// The pair of the symbol at `place` and its next one.
struct MergeCandidate {
  std::int32_t rank;
  int place;
  TokenId merged;
  bool operator>(const MergeCandidate& other) const {
    return rank != other.rank ? rank > other.rank : place > other.place;
  }
};

}  // namespace

int byte_of_piece(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  if (text.size() != 6 || !text.starts_with("<0x") || text[5] != '>') return -1;
  const std::size_t high = kDigits.find(text[3]), low = kDigits.find(text[4]);
  return high == std::string_view::npos || low == std::string_view::npos ? -1 : int(high * 16 + low);
}

BytePairEncoder::BytePairEncoder(std::span<const SentencePiece> pieces, std::span<const TokenMerge> merges) {
  std::vector<KnownToken> user_defined;
  for (std::size_t id = 0; id < pieces.size(); ++id) {
    const SentencePiece& piece = pieces[id];
    if (piece.type == PieceType::kUserDefined) user_defined.push_back({std::string(piece.text), TokenId(id)});
    if (piece.type == PieceType::kByte) bytes_[std::size_t(byte_of_piece(piece.text))] = TokenId(id);
    const bool plain = piece.type == PieceType::kNormal || piece.type == PieceType::kUserDefined;
    const auto first = next_code_point(piece.text);
    if (plain && first->bytes == piece.text.size()) characters_.emplace(first->value, TokenId(id));
  }
  user_defined_ = TokenMatcher(std::move(user_defined));
  ranks_.reserve(merges.size());
  for (const TokenMerge& merge : merges)
    ranks_.push_back({pair_of(merge.left, merge.right), std::int32_t(ranks_.size()), merge.merged});
  std::ranges::sort(ranks_, {}, &Rank::pair);
}

const BytePairEncoder::Rank* BytePairEncoder::rank_of(TokenId left, TokenId right) const {
  const std::uint64_t pair = pair_of(left, right);
  const auto found = std::ranges::lower_bound(ranks_, pair, {}, &Rank::pair);
  return found != ranks_.end() && found->pair == pair ? &*found : nullptr;
}

std::vector<TokenId> BytePairEncoder::encode(std::string_view text) const {
  std::vector<TokenId> ids;
  user_defined_.split(
      normalized(text), [&](std::string_view plain) { encode_plain(plain, ids); },
      [&](const KnownToken& token) { ids.push_back(token.id); });
  return ids;
}

void BytePairEncoder::encode_plain(std::string_view text, std::vector<TokenId>& ids) const {
  std::vector<Symbol> symbols;
  const auto add = [&](TokenId id) {
    const int place = int(symbols.size());
    symbols.push_back({id, place - 1, place + 1});
  };
  while (!text.empty()) {
    const auto first = next_code_point(text);
    const std::string_view character = text.substr(0, first->bytes);
    const auto found = characters_.find(first->value);
    if (found != characters_.end()) {
      add(found->second);
    } else {
      for (const char byte : character) add(bytes_[std::uint8_t(byte)]);
    }
    text.remove_prefix(character.size());
  }
  const int count = int(symbols.size());

  std::priority_queue<MergeCandidate, std::vector<MergeCandidate>, std::greater<>> queue;
  const auto consider = [&](int place) {
    if (place < 0 || symbols[place].next >= count) return;
    if (const Rank* const rank = rank_of(symbols[place].id, symbols[symbols[place].next].id))
      queue.push({rank->rank, place, rank->merged});
  };
  for (int place = 0; place + 1 < count; ++place) consider(place);
  while (!queue.empty()) {
    const MergeCandidate best = queue.top();
    queue.pop();
    Symbol& left = symbols[best.place];
    if (left.gone || left.next >= count) continue;
    // What stands there now may be another pair.
    Symbol& right = symbols[left.next];
    const Rank* const now = rank_of(left.id, right.id);
    if (now == nullptr || now->merged != best.merged) continue;
    left.id = best.merged;
    right.gone = true;
    left.next = right.next;
    if (left.next < count) symbols[left.next].previous = best.place;
    consider(left.previous);
    consider(best.place);
  }
  for (int place = 0; place < count; place = symbols[place].next) ids.push_back(symbols[place].id);
}

}  // namespace palisade
