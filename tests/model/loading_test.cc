#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include "base/json.h"
#include "model/error.h"
#include "model/gemma/language_model.h"
#include "model/weights/random_checkpoint.h"
#include "tests/ingest/test_files.h"
#include "tests/model/folder_copy.h"
#include "tests/model/reference_model.h"

using namespace palisade;

namespace {

// A checkpoint that calls a function before the second layer is read.
class InterruptedCheckpoint : public RandomCheckpoint {
 public:
  explicit InterruptedCheckpoint(std::function<void()> before_second)
      : before_second_(std::move(before_second)) {}

 protected:
  void fill(const std::string& name, std::span<const std::int64_t> shape, std::size_t first,
            std::span<float> target) const override {
    if (name.find("layers.1.") != std::string::npos) before_second_();
    RandomCheckpoint::fill(name, shape, first, target);
  }

 private:
  std::function<void()> before_second_;
};

TextConfig tiny_text() {
  return read_model_config(kReference / "models/paligemma1-tiny").text;
}

// Sends a few rows through a model.
struct SomeRows {
  static constexpr int kCount = 5;
  Matrix x;
  KvCache cache;
  LanguagePass pass;

  explicit SomeRows(const LanguageModel& model)
      : x(embedded(model)), cache(model.make_cache(kCount)), pass(model, x, {segment()}) {}
  static Matrix embedded(const LanguageModel& model) {
    Matrix x(kCount, model.config().width);
    model.embed(std::vector<TokenId>{3, 1, 4, 1, 5}, x);
    return x;
  }
  Segment segment() { return {.cache = &cache, .rows = kCount, .prefix = kCount}; }
  void finish() {
    while (pass.advance(kUnboundedOperations)) {
    }
  }
};

}  // namespace

TEST_CASE("what is there of a model is used while the rest is loaded") {
  LanguageModel whole(tiny_text(), SlidingWindow::kTransformers);
  whole.load(RandomCheckpoint(), Precision::kF32);
  SomeRows expected(whole);
  expected.finish();

  std::latch first_layer_done(1);
  LanguageModel model(tiny_text(), SlidingWindow::kTransformers);
  const InterruptedCheckpoint checkpoint([&] { first_layer_done.wait(); });
  const std::jthread loader([&] { model.load(checkpoint, Precision::kF32); });
  SomeRows rows(model);
  while (rows.pass.operations() < 0.3 * expected.pass.operations())
    REQUIRE(rows.pass.advance(kUnboundedOperations));
  first_layer_done.count_down();
  rows.finish();
  CHECK(std::ranges::equal(rows.x.row(SomeRows::kCount - 1), expected.x.row(SomeRows::kCount - 1)));
}

TEST_CASE("what keeps a model from being loaded is thrown to whoever needs the rest of it") {
  LanguageModel model(tiny_text(), SlidingWindow::kTransformers);
  const InterruptedCheckpoint checkpoint([] { throw ModelError("the disk is gone"); });
  CHECK_THROWS_WITH_AS(model.load(checkpoint, Precision::kF32), "the disk is gone", ModelError);
  SomeRows rows(model);
  CHECK_THROWS_WITH_AS(rows.finish(), "the disk is gone", ModelError);
}

TEST_CASE("a model whose loading is asked to stop has the layers that were there") {
  std::stop_source stop;
  LanguageModel model(tiny_text(), SlidingWindow::kTransformers);
  const InterruptedCheckpoint checkpoint([&] { stop.request_stop(); });
  CHECK_THROWS_AS(model.load(checkpoint, Precision::kF32, stop.get_token()), ModelError);
  SomeRows rows(model);
  CHECK_THROWS_AS(rows.finish(), ModelError);
  CHECK(rows.pass.operations() > 0);
}

TEST_CASE("a folder that is loaded while it is used answers as one that is loaded first") {
  const test::TestFolder folder;
  const WeightOptions options{.packed_cache = folder.path(), .load_while_used = true};
  const auto logits = [](const PaliGemma& model) {
    const Image image = read_picture(kReference / "images/still0.png");
    const Sequence sequence = model.prefill(model.encode({&image, 1}), model.prompt_ids("caption en"), 1);
    return std::vector<float>(sequence.logits().begin(), sequence.logits().end());
  };
  const std::vector<float> expected = logits(PaliGemma(kModels / "paligemma2-tiny"));
  for (const char* what : {"packed weights written", "packed weights read"}) {
    const PaliGemma model(kModels / "paligemma2-tiny", SlidingWindow::kTransformers, Precision::kF32,
                          options);
    CHECK(logits(model) == expected);
    CHECK(model.packed_cache_note().starts_with(what));
  }
}

TEST_CASE("a folder that lacks a tensor of the last layer says so when it is needed, and not before") {
  const FolderCopy folder(kModels / "paligemma1-tiny");
  folder.change_tensors(
      [](auto& tensors) { tensors.erase("language_model.model.layers.2.mlp.down_proj.weight"); });
  CHECK_THROWS_AS(PaliGemma{folder.path}, ModelError);
  const PaliGemma model(folder.path, SlidingWindow::kTransformers, Precision::kF32,
                        {.load_while_used = true});
  const Image image = read_picture(kReference / "images/still0.png");
  const auto features = model.encode({&image, 1});
  CHECK_THROWS_AS(model.prefill(features, model.prompt_ids("caption en"), 1), ModelError);
  CHECK_THROWS_AS(model.packed_cache_note(), ModelError);
}
