#include "service/events/frame_hashes.h"

#include <algorithm>

#include "base/sha256.h"

namespace palisade {

std::string FrameHashes::of(const Image& image) {
  const auto found = known_.find(image.identity());
  if (found != known_.end() && !found->second.lifetime.expired()) return found->second.sha256;
  if (known_.size() >= forget_at_) forget_gone();
  ++hashed_;
  Entry& known = known_[image.identity()];
  known = {.lifetime = image.lifetime(), .sha256 = sha256_hex(image.bytes())};
  return known.sha256;
}

void FrameHashes::forget_gone() {
  std::erase_if(known_, [](const auto& each) { return each.second.lifetime.expired(); });
  forget_at_ = std::max<std::size_t>(256, 2 * known_.size());
}

}  // namespace palisade
