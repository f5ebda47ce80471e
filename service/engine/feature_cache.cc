#include "service/engine/feature_cache.h"

#include <unordered_set>
#include <utility>

namespace palisade {

// Also needed for correctness: a new image or adapter may have the address of a dead one.
void FeatureCache::forget_the_dead() {
  std::erase_if(known_, [](const auto& entry) {
    const bool adapted = entry.first.second != nullptr;
    return entry.second.lifetime.expired() || (adapted && entry.second.adapter.expired());
  });
}

std::vector<Image> FeatureCache::unknown(std::span<const Image> images, const SharedAdapter& adapter) {
  forget_the_dead();
  std::vector<Image> fresh;
  std::unordered_set<const void*> seen;
  for (const Image& image : images) {
    if (!known_.contains(key_of(image, adapter)) && seen.insert(image.identity()).second)
      fresh.push_back(image);
  }
  return fresh;
}

void FeatureCache::store(const Image& image, const SharedAdapter& adapter, ImageFeatures features) {
  known_[key_of(image, adapter)] = {image.lifetime(), adapter, std::move(features)};
}

std::vector<ImageFeatures> FeatureCache::features_of(std::span<const Image> images,
                                                     const SharedAdapter& adapter) const {
  std::vector<ImageFeatures> features;
  for (const Image& image : images) features.push_back(known_.at(key_of(image, adapter)).features);
  return features;
}

}  // namespace palisade
