#pragma once

#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "model/paligemma/paligemma.h"

namespace palisade {

// Remembers what images became, so that an image is encoded once however many windows and pairs it stands in;
// its features die with it. The engine's thread alone.
class FeatureCache {
 public:
  // Those of `images` that must be encoded, each once.
  std::vector<Image> unknown(std::span<const Image> images);
  void store(const Image& image, ImageFeatures features);
  // Of all images in order, all of them known.
  std::vector<ImageFeatures> features_of(std::span<const Image> images) const;
  std::size_t size() const { return known_.size(); }

 private:
  struct Entry {
    std::weak_ptr<const void> lifetime;
    ImageFeatures features;
  };
  void forget_the_dead();

  std::unordered_map<const void*, Entry> known_;
};

}  // namespace palisade
