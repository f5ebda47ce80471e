#include "model/paligemma/adapter.h"

#include <doctest/doctest.h>

#include "base/whole_file.h"
#include "model/weights/checkpoint.h"
#include "tests/ingest/test_files.h"
#include "tests/model/adapter_cases.h"
#include "tests/model/folder_copy.h"

namespace palisade {
namespace {

// From the README of the data.
constexpr double kTolerance = 5e-4;

TEST_CASE("every adapter beside its model gives transformers' tokens and logits") {
  int compared = 0;
  for (const std::string name : {"paligemma1-tiny", "paligemma2-tiny"}) {
    for (const bool window : {true, false}) {
      if (!window && name == "paligemma1-tiny") continue;
      const PaliGemma model(kModels / name, window ? SlidingWindow::kTransformers : SlidingWindow::kNone);
      const AdapterDifferences base = compare(model, nullptr, AdapterCases(name, "base"), window);
      CHECK(base.wrong_ids == 0);
      CHECK(base.logits < kTolerance);
      for (const std::string& adapter : adapter_names(name)) {
        CAPTURE(name);
        CAPTURE(adapter);
        CAPTURE(window);
        const auto loaded = model.load_adapter(kAdapters / "adapters" / name / adapter);
        const AdapterDifferences found = compare(model, loaded, AdapterCases(name, adapter), window);
        CHECK(found.wrong_ids == 0);
        CHECK(found.logits < kTolerance);
        CHECK(found.logprobs < kTolerance);
        compared += window;
      }
    }
  }
  CHECK(compared == 49);
}

TEST_CASE("two adapters and the base step in one batch, each row as alone") {
  for (const std::string name : {"paligemma1-tiny", "paligemma2-tiny"}) {
    CAPTURE(name);
    const PaliGemma model(kModels / name);
    std::map<std::string, std::shared_ptr<const Adapter>> adapters = {{"base", nullptr}};
    std::map<std::string, AdapterCases> cases;
    std::vector<Sequence> sequences;
    std::vector<std::vector<TokenId>> expected, found;
    const Json batch = read_json(kAdapters / "expected" / name / "batch.json");
    for (const Json& row : batch["rows"]) {
      const std::string adapter = row["adapter"].is_null() ? "base" : row["adapter"];
      if (!adapters.contains(adapter))
        adapters[adapter] = model.load_adapter(kAdapters / "adapters" / name / adapter);
      const AdapterCases& its = cases.try_emplace(adapter, name, adapter).first->second;
      int index = 0;
      while (its.name(index) != row["case"]) ++index;
      sequences.push_back(its.prefill(model, adapters[adapter], index));
      expected.push_back(its.tokens("greedy_no_eos", index));
    }
    found.resize(sequences.size());
    std::vector<Sequence*> all;
    for (Sequence& sequence : sequences) all.push_back(&sequence);
    for (int step = 0; step < 12; ++step) {
      std::vector<TokenId> tokens;
      for (std::size_t i = 0; i < sequences.size(); ++i) {
        tokens.push_back(sequences[i].distribution().most_probable().token);
        found[i].push_back(tokens.back());
      }
      if (step < 11) model.step(all, tokens);
    }
    CHECK(found == expected);
  }
}

// The largest logit of the five cases, and how far those of `model` are from transformers' f32.
double share_of_logits(const PaliGemma& model, const std::string& name, const std::string& adapter) {
  const AdapterCases cases(name, adapter);
  const auto loaded = model.load_adapter(kAdapters / "adapters" / name / adapter);
  const std::vector<float> logits = cases.tensors().at("step_logits").to_floats();
  float largest = 0;
  for (const float logit : logits) largest = std::max(largest, std::abs(logit));
  return compare(model, loaded, cases).logits / largest;
}

TEST_CASE("adapters stand beside rounded weights, and beside smoothed ones") {
  const std::string name = "paligemma1-tiny";
  const test::TestFolder place;
  RecordedInputs inputs;
  const PaliGemma recorder(kModels / name, SlidingWindow::kTransformers, Precision::kF32,
                           {.record = &inputs});
  compare(recorder, nullptr, AdapterCases(name, "base"));
  const Calibration calibration(recorder.config(), inputs, Checkpoint(kModels / name).fingerprint());
  write_whole_file(place.path() / "calibration.json", calibration.text());
  // As service/verify/tolerance.h allows without an adapter; read wrongly it is off by the whole.
  for (const auto& [precision, most] : {std::pair{Precision::kBf16, 0.12}, {Precision::kInt8, 0.35}}) {
    if (std::ranges::count(precisions_here(), precision) == 0) continue;
    for (const bool smoothed : {false, true}) {
      if (smoothed && precision == Precision::kBf16) continue;
      WeightOptions options;
      if (smoothed) options.calibration = place.path() / "calibration.json";
      const PaliGemma model(kModels / name, SlidingWindow::kTransformers, precision, options);
      for (const char* adapter : {"everything", "names_5", "bias_lora_only", "lora_bias_vision",
                                  "modules_to_save", "embed_tokens_saved"}) {
        CAPTURE(name_of(precision));
        CAPTURE(smoothed);
        CAPTURE(adapter);
        CHECK(share_of_logits(model, name, adapter) < most);
      }
    }
  }
}

TEST_CASE("an adapter of whole tensors needs the weights that the model was loaded from") {
  const FolderCopy folder(kModels / "paligemma1-tiny");
  const PaliGemma model(folder.path);
  folder.change_tensors([](FolderCopy::Tensors& tensors) { tensors.begin()->second.values[0] += 1; });
  const auto adapters = kAdapters / "adapters/paligemma1-tiny";
  CHECK_THROWS_WITH_AS(model.load_adapter(adapters / "bias_lora_only"), doctest::Contains("has changed"),
                       Error);
  CHECK(model.load_adapter(adapters / "attention")->changes_images());
  CHECK(!model.load_adapter(adapters / "attention_language")->changes_images());
}

}  // namespace
}  // namespace palisade
