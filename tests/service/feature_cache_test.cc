#include "service/engine/feature_cache.h"

#include <doctest/doctest.h>

#include "tests/service/stub_model.h"

using namespace palisade;

TEST_CASE("features die with their image") {
  FeatureCache cache;
  std::vector<Image> images = {small_image(1), small_image(2)};
  for (const Image& image : cache.unknown(images, nullptr))
    cache.store(image, nullptr, std::make_shared<Matrix>(1, 1));
  std::weak_ptr<const Matrix> first = cache.features_of(images, nullptr)[0];
  CHECK(cache.size() == 2);
  images.erase(images.begin());
  CHECK(cache.unknown(images, nullptr).empty());
  CHECK(cache.size() == 1);
  CHECK(first.expired());
}

TEST_CASE("an image that stands twice is unknown once") {
  FeatureCache cache;
  const Image image = small_image(1);
  const std::vector<Image> images = {image, small_image(2), image};
  CHECK(cache.unknown(images, nullptr).size() == 2);
  CHECK(cache.size() == 0);
}

TEST_CASE("an adapter that changes what images look like has features of its own, which die with it") {
  FeatureCache cache;
  const std::vector<Image> images = {small_image(1)};
  const auto plain = std::make_shared<Adapter>();
  auto seeing = std::make_shared<Adapter>();
  seeing->image_encoder.layers.resize(1);
  const auto mine = std::make_shared<Matrix>(1, 1), theirs = std::make_shared<Matrix>(1, 1);
  cache.store(images[0], plain, mine);
  CHECK(cache.unknown(images, nullptr).empty());
  CHECK(cache.features_of(images, nullptr)[0] == mine);
  CHECK(cache.unknown(images, seeing).size() == 1);
  cache.store(images[0], seeing, theirs);
  CHECK(cache.features_of(images, seeing)[0] == theirs);
  CHECK(cache.features_of(images, plain)[0] == mine);
  seeing.reset();
  CHECK(cache.unknown(images, nullptr).empty());
  CHECK(cache.size() == 1);
}
