#include "service/engine/feature_cache.h"

#include <unordered_set>
#include <utility>

namespace palisade {

// Also needed for correctness: a new image may have the address of a dead one.
void FeatureCache::forget_the_dead() {
  std::erase_if(known_, [](const auto& entry) { return entry.second.lifetime.expired(); });
}

std::vector<Image> FeatureCache::unknown(std::span<const Image> images) {
  forget_the_dead();
  std::vector<Image> fresh;
  std::unordered_set<const void*> seen;
  for (const Image& image : images) {
    if (!known_.contains(image.identity()) && seen.insert(image.identity()).second) fresh.push_back(image);
  }
  return fresh;
}

void FeatureCache::store(const Image& image, ImageFeatures features) {
  known_[image.identity()] = {image.lifetime(), std::move(features)};
}

std::vector<ImageFeatures> FeatureCache::features_of(std::span<const Image> images) const {
  std::vector<ImageFeatures> features;
  for (const Image& image : images) features.push_back(known_.at(image.identity()).features);
  return features;
}

}  // namespace palisade
