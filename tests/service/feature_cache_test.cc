#include "service/feature_cache.h"

#include <doctest/doctest.h>

#include "tests/service/stub_model.h"

using namespace palisade;

TEST_CASE("features die with their image") {
  FeatureCache cache;
  StubModel model;
  const auto encode = [&](std::span<const Image> images) { return model.encode(images, {}); };
  std::vector<Image> images = {small_image(1), small_image(2)};
  std::weak_ptr<const Matrix> first = cache.features_of(images, encode)[0];
  CHECK(cache.size() == 2);
  images.erase(images.begin());
  cache.features_of(images, encode);
  CHECK(cache.size() == 1);
  CHECK(first.expired());
  CHECK(model.encoded == 2);
}

TEST_CASE("an encoding that fails leaves nothing behind") {
  FeatureCache cache;
  const std::vector<Image> images = {small_image(1)};
  const auto fail = [](std::span<const Image>) -> std::vector<ImageFeatures> {
    throw std::runtime_error("no");
  };
  CHECK_THROWS(cache.features_of(images, fail));
  CHECK(cache.size() == 0);
}
