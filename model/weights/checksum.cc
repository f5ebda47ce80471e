#include "model/weights/checksum.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <vector>

#include "base/format.h"
#include "model/tensor/parallel.h"

namespace palisade {

std::string checksum(std::span<const std::byte> bytes) {
  constexpr std::size_t kPiece = std::size_t(4) << 20;
  std::vector<XXH64_hash_t> hashes((bytes.size() + kPiece - 1) / kPiece);
  parallel_for_pieces(bytes.size(), kPiece, double(bytes.size()), [&](std::size_t first, std::size_t size) {
    hashes[first / kPiece] = XXH3_64bits(bytes.data() + first, size);
  });
  return format("{:016x}", XXH3_64bits(hashes.data(), hashes.size() * sizeof hashes[0]));
}

}  // namespace palisade
