#include "model/weights/random_checkpoint.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "model/config/model_shapes.h"
#include "model/error.h"
#include "model/paligemma/paligemma.h"

using namespace palisade;

TEST_CASE("random weights are the same for a name and a seed, and differ with each of them") {
  const RandomCheckpoint weights(7), others(8);
  const Matrix first = weights.read("a.weight", {64, 128}), again = weights.read("a.weight", {64, 128});
  CHECK(std::equal(first.data(), first.data() + first.size(), again.data()));
  const Matrix named = weights.read("b.weight", {64, 128}), seeded = others.read("a.weight", {64, 128});
  CHECK_FALSE(std::equal(first.data(), first.data() + first.size(), named.data()));
  CHECK_FALSE(std::equal(first.data(), first.data() + first.size(), seeded.data()));
}

TEST_CASE("random weights have a variance of one over the inputs and no head of their own") {
  const RandomCheckpoint weights;
  const Matrix weight = weights.read("a.weight", {300, 400});
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < weight.size(); ++i) {
    sum += weight.data()[i];
    squares += double(weight.data()[i]) * weight.data()[i];
  }
  CHECK(sum / double(weight.size()) == doctest::Approx(0).scale(1).epsilon(1e-3));
  CHECK(squares / double(weight.size()) == doctest::Approx(1.0 / 400).epsilon(0.02));
  CHECK_FALSE(weights.has("language_model.lm_head.weight"));
}

TEST_CASE("rows of random weights are those of the whole, one tensor below the other") {
  const RandomCheckpoint weights;
  const Matrix a = weights.read("a.weight", {40, 300}), b = weights.read("b.weight", {60, 300});
  const WeightRows both = weights.rows({"a.weight", "b.weight"}, {40, 60}, 300);
  CHECK(both.rows == 100);
  Matrix some(30, 300);
  both.read(20, some);
  CHECK(std::equal(some.data(), some.data() + 20 * 300, a.row(20).data()));
  CHECK(std::equal(some.row(20).data(), some.data() + some.size(), b.data()));
}

TEST_CASE("a model of random weights encodes, prefills and decodes finite numbers, and has no tokenizer") {
  for (const char* const shape : {"tiny", "tiny2"}) {
    for (const Precision precision : precisions_here()) {
      CAPTURE(shape);
      CAPTURE(name_of(precision));
      const PaliGemma model(*config_of_shape(shape), RandomCheckpoint(), shape, SlidingWindow::kTransformers,
                            precision);
      CHECK(model.identity().id == shape);
      CHECK(model.identity().precision == name_of(precision));
      const int size = model.image_size();
      const Image image(size, size, std::vector<std::uint8_t>(std::size_t(size) * size * 3, 90));
      const auto features = model.encode(std::array{image});
      Sequence sequence = model.prefill(features, std::array<TokenId, 3>{2, 5, 9}, 4);
      CHECK(sequence.length() == model.config().image_tokens() + 3);
      Sequence* const one = &sequence;
      model.step({&one, 1}, std::array<TokenId, 1>{11});
      CHECK(std::ranges::all_of(sequence.logits(), [](float logit) { return std::isfinite(logit); }));
      CHECK(std::ranges::any_of(sequence.logits(), [](float logit) { return logit != 0; }));
      CHECK_THROWS_AS(model.prompt_ids("caption en"), ModelError);
      CHECK_THROWS_AS(model.tokenizer(), ModelError);
    }
  }
}
