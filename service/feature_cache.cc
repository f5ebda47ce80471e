#include "service/feature_cache.h"

#include <utility>

namespace palisade {

// Also keeps an address that was used again for another image from being taken for the first one.
void FeatureCache::forget_the_dead() {
  std::erase_if(known_, [](const auto& entry) { return entry.second.lifetime.expired(); });
}

std::vector<ImageFeatures> FeatureCache::features_of(std::span<const Image> images, const Encode& encode) {
  forget_the_dead();
  std::vector<Image> fresh;
  for (const Image& image : images) {
    // Entered at once, so that an image that stands twice in a clip is encoded once.
    if (known_.try_emplace(image.identity(), Known{image.lifetime(), nullptr}).second) fresh.push_back(image);
  }
  try {
    const std::vector<ImageFeatures> encoded = fresh.empty() ? std::vector<ImageFeatures>{} : encode(fresh);
    for (std::size_t i = 0; i < fresh.size(); ++i) known_[fresh[i].identity()].features = encoded.at(i);
  } catch (...) {
    for (const Image& image : fresh) known_.erase(image.identity());
    throw;
  }
  std::vector<ImageFeatures> features;
  for (const Image& image : images) features.push_back(known_[image.identity()].features);
  return features;
}

}  // namespace palisade
