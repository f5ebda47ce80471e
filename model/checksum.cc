#include "model/checksum.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cstdio>
#include <vector>

#include "model/parallel.h"

namespace palisade {

std::string checksum(std::span<const std::byte> bytes) {
  constexpr std::size_t kPiece = std::size_t(4) << 20;
  const std::size_t pieces = (bytes.size() + kPiece - 1) / kPiece;
  std::vector<XXH64_hash_t> hashes(pieces);
  parallel_for(int(pieces), double(bytes.size()), [&](int piece) {
    const auto part = bytes.subspan(piece * kPiece, std::min(kPiece, bytes.size() - piece * kPiece));
    hashes[std::size_t(piece)] = XXH3_64bits(part.data(), part.size());
  });
  char text[17];
  std::snprintf(text, sizeof text, "%016llx",
                static_cast<unsigned long long>(XXH3_64bits(hashes.data(), pieces * sizeof hashes[0])));
  return text;
}

}  // namespace palisade
