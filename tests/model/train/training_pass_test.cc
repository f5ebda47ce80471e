#include "model/train/training_pass.h"

#include <doctest/doctest.h>

#include <memory>

#include "tests/model/train/differences.h"
#include "tests/model/train/tiny_model.h"

using namespace palisade;

TEST_CASE("a batch in parts has the losses, the states and the gradients of its examples one by one") {
  Tiny parts("paligemma1-tiny"), single("paligemma1-tiny");
  TrainingBatch batch = parts.batch();
  const auto three = batch.examples;
  for (int again = 0; again < 2; ++again)
    batch.examples.insert(batch.examples.end(), three.begin(), three.end());
  PassOptions options = parts.options();
  options.examples = double(batch.examples.size());
  const auto together = parts.pass.accumulate(batch, options);
  REQUIRE(together.size() == batch.examples.size());
  int row = 0;
  for (std::size_t i = 0; i < batch.examples.size(); ++i) {
    CAPTURE(i);
    TrainingBatch one;
    for (const Matrix& picture : batch.pictures) one.pictures.push_back(copy_of(picture));
    one.examples = {batch.examples[i]};
    CHECK(single.pass.accumulate(one, options).front().loss ==
          doctest::Approx(together[i].loss).epsilon(1e-5));
    const ConstMatrixView states = single.pass.target_states();
    for (int target = 0; target < states.rows; ++target)
      CHECK(largest_difference(states.row(target), parts.pass.target_states().row(row++)) < 1e-4);
  }
  CHECK(row == parts.pass.target_states().rows);
  CHECK(parts.pass.image_states(1).rows == parts.config.image_tokens());
  for (const Parameters::Tensor& tensor : parts.parameters.tensors()) {
    CAPTURE(tensor.spec.name);
    const auto same = single.parameters.tensor(tensor.spec.name).gradient;
    CHECK(largest_difference(tensor.gradient, same) <= 1e-4 * largest_of(same) + 1e-5);
  }
  // The same again adds the same again, and a smaller batch needs fewer parts.
  const std::vector<float> once(parts.parameters.gradient_block().begin(),
                                parts.parameters.gradient_block().end());
  std::ranges::fill(parts.parameters.gradient_block(), 0.0f);
  parts.pass.accumulate(batch, options);
  CHECK(largest_difference(once, parts.parameters.gradient_block()) == 0);
  batch.examples.resize(1);
  CHECK(parts.pass.evaluate(batch, options).size() == 1);
  CHECK(parts.pass.image_states(1).data == nullptr);
}

TEST_CASE(
    "a tower that is not trained makes of a picture the same bits in every batch, and need not run again") {
  Tiny model("paligemma1-tiny", kLanguage);
  TrainingBatch batch = model.batch();
  const auto losses = model.pass.accumulate(batch, model.options());
  const std::vector<float> gradient(model.parameters.gradient_block().begin(),
                                    model.parameters.gradient_block().end());
  std::vector<std::shared_ptr<const Matrix>> kept;
  for (int picture = 0; picture < int(batch.pictures.size()); ++picture) {
    const ConstMatrixView states = model.pass.image_states(picture);
    Matrix copy(states.rows, states.cols);
    for (int row = 0; row < states.rows; ++row) std::ranges::copy(states.row(row), copy.row(row).begin());
    kept.push_back(std::make_shared<const Matrix>(std::move(copy)));
  }
  batch.states = kept;
  batch.states[1] = nullptr;
  batch.pictures[0] = Matrix();
  std::ranges::fill(model.parameters.gradient_block(), 0.0f);
  const auto again = model.pass.accumulate(batch, model.options());
  for (std::size_t i = 0; i < losses.size(); ++i) CHECK(again[i].loss == losses[i].loss);
  CHECK(largest_difference(gradient, model.parameters.gradient_block()) == 0);
  TrainingBatch alone;
  alone.pictures.push_back(std::move(batch.pictures[1]));
  alone.examples = {model.example({0}, "caption en", "blue")};
  model.pass.evaluate(alone, model.options());
  const ConstMatrixView states = model.pass.image_states(0);
  for (int row = 0; row < states.rows; ++row)
    CHECK(largest_difference(states.row(row), kept[1]->row(row)) == 0);
}
