#pragma once

#include <map>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "model/paligemma/paligemma.h"

namespace palisade {

// Keeps the features of images, so that an image is encoded once, however many windows contain it: by the
// model alone, and by each adapter that changes what images look like. Features die with their image, or with
// their adapter. Used by the engine's thread.
class FeatureCache {
 public:
  // The images without features, each once.
  std::vector<Image> unknown(std::span<const Image> images, const SharedAdapter& adapter);
  void store(const Image& image, const SharedAdapter& adapter, ImageFeatures features);
  // The features of all images, in order; all must be known.
  std::vector<ImageFeatures> features_of(std::span<const Image> images, const SharedAdapter& adapter) const;
  std::size_t size() const { return known_.size(); }

 private:
  using Key = std::pair<const void*, const Adapter*>;  // the image, and the adapter or nullptr
  struct Entry {
    std::weak_ptr<const void> lifetime;
    std::weak_ptr<const Adapter> adapter;
    ImageFeatures features;
  };
  static Key key_of(const Image& image, const SharedAdapter& adapter) {
    return {image.identity(), image_adapter(adapter)};
  }
  void forget_the_dead();

  std::map<Key, Entry> known_;
};

}  // namespace palisade
