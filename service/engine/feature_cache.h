#pragma once

#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "model/paligemma/paligemma.h"

namespace palisade {

// Keeps the features of images, so that an image is encoded once, however many windows contain it. Features
// die with their image. Used by the engine's thread.
class FeatureCache {
 public:
  // The images without features, each once.
  std::vector<Image> unknown(std::span<const Image> images);
  void store(const Image& image, ImageFeatures features);
  // The features of all images, in order; all must be known.
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
