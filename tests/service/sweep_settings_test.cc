#include "service/transfer/sweep_settings.h"

#include <doctest/doctest.h>

#include "base/format.h"

using namespace palisade;

namespace {

SweepSettings sweep_of(const std::string& text) {
  SweepSettings sweep;
  read_sweep(text, "folder/s.yaml", sweep);
  return sweep;
}

std::vector<std::string> sweep_problems(const std::string& text, bool whole = false) {
  try {
    const SweepSettings sweep = sweep_of(text);
    if (whole) check(sweep);
  } catch (const SettingsError& error) {
    return error.problems();
  }
  return {};
}

std::string first(const std::string& text, bool whole = false) {
  const auto problems = sweep_problems(text, whole);
  REQUIRE(!problems.empty());
  return problems[0];
}

const std::string kWhole = "model: m\ndata: d\nevaluation: e\n";

}  // namespace

TEST_CASE("a recipe's lists are what is tried, most important first, and every combination is run") {
  const SweepSettings sweep =
      sweep_of("data: d.jsonl\nseed: [1, 2]\nlearning_rate: [1e-4, 3e-5]\nepochs: [1, 3]\nbeams: 2\n");
  REQUIRE(sweep.axes.size() == 3);
  CHECK(sweep.axes[0].key == "epochs");
  CHECK(sweep.axes[1].key == "learning_rate");
  CHECK(sweep.axes[2].key == "seed");
  CHECK(sweep.recipe.beams == 2);
  CHECK(sweep.recipe.data == "folder/d.jsonl");
  const auto grid = grid_of(sweep);
  REQUIRE(grid.size() == 8);
  CHECK(grid[1].seed == 2);
  CHECK(grid[2].learning_rate == 3e-5);
  CHECK(grid[4].epochs == 3);
  for (const TransferSettings& settings : grid) CHECK(settings.beams == 2);
}

TEST_CASE("what the command line says takes the place of the file's lists") {
  SweepSettings sweep = sweep_of("epochs: [1, 3]\nlearning_rate: [1e-4, 3e-5]\n");
  read_sweep("epochs: 5\nlearning_rate: [1e-3]\n", "command line", sweep);
  REQUIRE(sweep.axes.size() == 1);
  CHECK(sweep.axes[0].values == std::vector<std::string>{"1e-3"});
  CHECK(sweep.recipe.epochs == 5);
}

TEST_CASE("a sweep is written so that it is read back the same") {
  SweepSettings sweep =
      sweep_of(kWhole + "freeze_vit: [false, true]\nparts: [all, language]\nepochs: 7\nin_order: true\n");
  const std::string text = sweep_text(sweep);
  const SweepSettings again = sweep_of(text);
  CHECK(sweep_text(again) == text);
  CHECK(again.in_order);
  CHECK(again.recipe.epochs == 7);
  REQUIRE(again.axes.size() == 2);
  CHECK(again.axes[1].values == std::vector<std::string>{"all", "language"});
}

TEST_CASE("the published values come in their order of importance and leave out what changes nothing") {
  TransferSettings current;
  current.learning_rate = 3e-6;
  std::string keys;
  for (const SweepAxis& axis : published_axes(current, 224)) keys += axis.key + " ";
  CHECK(keys == "resolution epochs learning_rate label_smoothing llm_dropout weight_decay freeze_vit beams ");
  CHECK(published_axes(current, 224)[0].values == std::vector<std::string>{"224", "448", "896"});
  CHECK(published_axes(current, 224)[5].values == std::vector<std::string>{"0", "3e-07"});
  current.examples = 100;
  current.parts = TrainedParts::kProjection;
  CHECK(published_axes(current, 224).size() == 6);
  for (const SweepAxis& axis : published_axes(current, 224)) {
    for (const std::string& value : axis.values) CHECK_NOTHROW(with_value(current, axis.key, value));
  }
}

TEST_CASE("a sweep's mistakes are told with their place, before anything runs") {
  CHECK(first("epochs: [1, many]\n").starts_with("folder/s.yaml:1:13: "));
  CHECK(first("epoch: [1, 2]\n").find("did you mean epochs?") != std::string::npos);
  CHECK(first("epochs: []\n").find("empty list") != std::string::npos);
  CHECK(first("epochs: [[1], 2]\n").find("a list") != std::string::npos);
  CHECK(first("data: [a, b]\n").find("one for all runs") != std::string::npos);
  CHECK(first("in_order: maybe\n").find("in_order") != std::string::npos);
  CHECK(first("- epochs\n").find("a map") != std::string::npos);
  CHECK(first("epochs: {a: 1}\n").find("a map") != std::string::npos);
  CHECK(first("model: m\ndata: d\nepochs: [1, 2]\n", true).find("evaluation: ") == 0);
  CHECK(first(kWhole + "resize: [hf-bicubic, 'a: b']\n", true).size() > 0);
  CHECK(first(kWhole + "resize: [hf-bicubic, nearest]\n", true).find("nearest") != std::string::npos);
  CHECK(first(kWhole + "image_warmup: 0.1\nfreeze_vit: [false, true]\n", true).find("frozen") !=
        std::string::npos);
  CHECK(first(kWhole + "examples: 5\nepochs: [1, 2]\n", true).find("examples takes") != std::string::npos);
  std::string many = kWhole + "seed: [";
  for (int i = 0; i < 101; ++i) many += format("{}, ", i);
  many += "101]\nepochs: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]\n";
  CHECK(first(many, true).find("more than 1000 runs") != std::string::npos);
  CHECK(sweep_problems(many + "in_order: true\n", true).empty());
}
