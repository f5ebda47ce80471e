#include "service/engine/feature_cache.h"

#include <doctest/doctest.h>

#include "tests/service/stub_model.h"

using namespace palisade;

TEST_CASE("features die with their image") {
  FeatureCache cache;
  std::vector<Image> images = {small_image(1), small_image(2)};
  for (const Image& image : cache.unknown(images)) cache.store(image, std::make_shared<Matrix>(1, 1));
  std::weak_ptr<const Matrix> first = cache.features_of(images)[0];
  CHECK(cache.size() == 2);
  images.erase(images.begin());
  CHECK(cache.unknown(images).empty());
  CHECK(cache.size() == 1);
  CHECK(first.expired());
}

TEST_CASE("an image that stands twice is unknown once") {
  FeatureCache cache;
  const Image image = small_image(1);
  const std::vector<Image> images = {image, small_image(2), image};
  CHECK(cache.unknown(images).size() == 2);
  CHECK(cache.size() == 0);
}
