#include "model/paligemma/adapter.h"

#include <doctest/doctest.h>

#include "base/whole_file.h"
#include "model/adapters/merged_model.h"
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

// The adapter with these tensors of the model, half as large again, saved as modules of their own.
ChangedAdapter with_saved(const std::string& name, const std::map<std::string, std::string>& tensors) {
  ChangedAdapter adapter(kAdapters / "adapters" / name / "attention_language");
  const SafetensorsFile model(kModels / name / "model.safetensors");
  for (const auto& [tensor, path] : tensors) {
    ChangedAdapter::Tensor saved{model.at(tensor).shape, model.at(tensor).to_floats()};
    for (float& value : saved.values) value *= 1.5f;
    adapter.tensors["base_model.model." + path] = saved;
    adapter.config["modules_to_save"].push_back(path.substr(0, path.rfind('.')));
  }
  return adapter;
}

TEST_CASE(
    "saved norms, embeddings of patches and heads stand in the place of the model's, in a batch with "
    "others") {
  const test::TestFolder place;
  for (const std::string name : {"paligemma1-tiny", "paligemma2-tiny"}) {
    CAPTURE(name);
    const std::string tower = "vision_tower.vision_model.", patches = tower + "embeddings.patch_embedding.";
    const ChangedAdapter changed =
        with_saved(name, {{"language_model.model.norm.weight", "model.language_model.norm.weight"},
                          {"language_model.model.layers.1.input_layernorm.weight",
                           "model.language_model.layers.1.input_layernorm.weight"},
                          {"language_model.model.layers.0.mlp.up_proj.weight",
                           "model.language_model.layers.0.mlp.up_proj.weight"},
                          {patches + "weight", "model." + patches + "weight"},
                          {patches + "bias", "model." + patches + "bias"}});
    const auto folder = changed.write(place.path() / name / "adapter");
    write_merged_model(kModels / name, folder, place.path() / name / "merged", "merged");
    const PaliGemma model(kModels / name), merged(place.path() / name / "merged");
    const SharedAdapter adapter = model.load_adapter(folder);
    const AdapterCases cases(name, "base");
    Sequence beside = cases.prefill(model, adapter, 0), alone = cases.prefill(model, nullptr, 0),
             expected = cases.prefill(merged, nullptr, 0), base = cases.prefill(model, nullptr, 0);
    const auto same = [](const Sequence& a, const Sequence& b) {
      for (std::size_t i = 0; i < a.logits().size(); ++i) {
        if (!(std::abs(a.logits()[i] - b.logits()[i]) < kTolerance)) return false;
      }
      return true;
    };
    for (int step = 0; step < 4; ++step) {
      CAPTURE(step);
      CHECK(same(beside, expected));
      CHECK(same(alone, base));
      CHECK(!same(beside, alone));
      const std::vector<TokenId> tokens = {TokenId(300 + step), TokenId(310 + step)};
      Sequence* const both[] = {&beside, &alone};
      model.step(both, tokens);
      Sequence* const of_merged[] = {&expected};
      merged.step(of_merged, std::span(tokens).first(1));
      Sequence* const of_base[] = {&base};
      model.step(of_base, std::span(tokens).last(1));
    }
  }
}

TEST_CASE("a head that is adapted adds to the logits of its own sequences") {
  const test::TestFolder place;
  const std::string name = "paligemma1-tiny";
  const PaliGemma model(kModels / name);
  const int width = model.config().text.width, vocabulary = model.config().text.vocabulary;
  ChangedAdapter changed(kAdapters / "adapters" / name / "attention_language");
  changed.tensors.clear();
  ChangedAdapter::Tensor a{{1, width}, std::vector<float>(width)},
      b{{vocabulary, 1}, std::vector<float>(vocabulary)};
  for (int i = 0; i < width; ++i) a.values[i] = 0.01f * float(i % 7 - 3);
  for (int i = 0; i < vocabulary; ++i) b.values[i] = 0.1f * float(i % 5 - 2);
  changed.tensors["base_model.model.lm_head.lora_A.weight"] = a;
  changed.tensors["base_model.model.lm_head.lora_B.weight"] = b;
  changed.config["target_modules"] = {"lm_head"};
  changed.config["r"] = 1, changed.config["lora_alpha"] = 3;
  const auto folder = changed.write(place.path() / "adapter");
  const SharedAdapter adapter = model.load_adapter(folder);
  const AdapterCases cases(name, "base");
  const auto image = cases.images(0);
  const auto features = model.encode(image);
  const auto prompt = model.prompt_ids(cases.prompt(0));
  std::vector<float> hidden;
  const Observer keep = [&](std::string_view what, ConstMatrixView rows) {
    if (what == "lm.final_norm")
      hidden.assign(rows.row(rows.rows - 1).begin(), rows.row(rows.rows - 1).end());
  };
  const Sequence base = model.prefill(features, prompt, 2, keep);
  const Sequence adapted = model.prefill(features, prompt, 2, {}, {.adapter = adapter});
  float low = 0;
  for (int i = 0; i < width; ++i) low += a.values[i] * hidden[i];
  REQUIRE(std::abs(low) > 1e-3f);
  for (int i = 0; i < vocabulary; ++i)
    REQUIRE(adapted.logits()[i] == doctest::Approx(base.logits()[i] + 3 * low * b.values[i]).epsilon(1e-4));
  CHECK_THROWS_WITH_AS(write_merged_model(kModels / name, folder, place.path() / "merged", "merged"),
                       doctest::Contains("cannot be merged"), Error);
}

}  // namespace
}  // namespace palisade
