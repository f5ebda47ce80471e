#include "tasks/repeats.h"

#include <doctest/doctest.h>

#include <vector>

using namespace palisade;

TEST_CASE("texts that differ in case, white space and punctuation have the same words") {
  CHECK(words_alone("A red car drives.") == "a red car drives");
  CHECK(words_alone("  a  red-car, drives!\n") == "a red car drives");
  CHECK(words_alone("Ein Bär läuft") == "ein bär läuft");
  CHECK(words_alone("...").empty());
  CHECK(words_alone("a red car") != words_alone("a red cart"));
}

TEST_CASE("likeness is the cosine, and nothing where sizes differ") {
  const std::vector<float> one{0.6F, 0.8F}, other{0.8F, 0.6F};
  CHECK(likeness_of(one, other) == doctest::Approx(0.96));
  CHECK(likeness_of(one, {}) == 0);
  CHECK(likeness_of(one, std::vector<float>{1}) == 0);
}
