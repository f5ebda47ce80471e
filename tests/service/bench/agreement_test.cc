#include "service/bench/agreement.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "model/config/model_shapes.h"
#include "model/weights/random_checkpoint.h"

using namespace palisade;

TEST_CASE("agreement is what logits are off by, and how many tokens stay the same") {
  Matrix a(2, 3), b(2, 3);
  std::ranges::copy(std::array{3.0f, 0.0f, 0.0f, 0.0f, 4.0f, 0.0f}, a.data());
  std::ranges::copy(std::array{3.0f, 0.0f, 0.0f, 4.0f, 0.0f, 0.0f}, b.data());
  const Agreement same = agreement_of("f32", a, a), other = agreement_of("f32", a, b);
  CHECK(same.relative_error == 0);
  CHECK(same.cosine == doctest::Approx(1));
  CHECK(same.same_tokens == 1);
  CHECK(other.with == "f32");
  CHECK(other.tokens == 2);
  CHECK(other.relative_error == doctest::Approx(std::sqrt(32.0 / 25)));
  CHECK(other.cosine == doctest::Approx(9.0 / 25));
  CHECK(other.same_tokens == 0.5);
}

TEST_CASE("of random weights every precision agrees with f32, and none with other weights") {
  const ModelConfig config = *config_of_shape("tiny");
  const auto logits_of = [&](std::uint64_t seed, Precision precision) {
    return agreement_logits(
        PaliGemma(config, RandomCheckpoint(seed), "tiny", SlidingWindow::kTransformers, precision));
  };
  const Matrix expected = logits_of(1, Precision::kF32);
  for (const Precision precision : precisions_here()) {
    CAPTURE(name_of(precision));
    const Agreement agreement = agreement_of("f32", expected, logits_of(1, precision));
    CHECK(agreement.tokens == 64);
    CHECK(agreement.cosine > 0.99);
    CHECK(agreement.same_tokens > 0.8);
    CHECK((agreement.relative_error == 0) == (precision == Precision::kF32));
  }
  CHECK(agreement_of("f32", expected, logits_of(2, Precision::kF32)).cosine < 0.5);
}
