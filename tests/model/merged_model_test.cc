#include "model/adapters/merged_model.h"

#include <doctest/doctest.h>

#include "model/weights/checkpoint.h"
#include "model/weights/tensor_names.h"
#include "tests/ingest/test_files.h"
#include "tests/model/adapter_cases.h"
#include "tests/model/folder_copy.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

TEST_CASE("a merged folder holds PEFT's merged tensors and answers as the adapter beside the model") {
  const test::TestFolder place;
  for (const std::string name : {"paligemma1-tiny", "paligemma2-tiny"}) {
    for (const std::string& adapter : adapter_names(name)) {
      if (adapter == "lora_bias_language" || adapter == "embed_tokens_saved") continue;
      CAPTURE(name);
      CAPTURE(adapter);
      const fs::path merged = place.path() / (name + adapter);
      write_merged_model(kModels / name, kAdapters / "adapters" / name / adapter, merged, "merged");
      const AdapterCases cases(name, adapter);
      const Checkpoint checkpoint(merged);
      const auto shapes = tensor_shapes(read_model_config(merged));
      for (const auto& [tensor, about] : cases.values()["merged"].items()) {
        CAPTURE(tensor);
        std::vector<float> values(std::size_t(about["shape"][0].get<int>()) *
                                  (about["shape"].size() > 1 ? about["shape"][1].get<int>() : 1));
        checkpoint.read_into(tensor, shapes.at(tensor), values);
        double squares = 0;
        for (const float value : values) squares += double(value) * value;
        CHECK(std::sqrt(squares) == doctest::Approx(about["l2"].get<double>()).epsilon(1e-6));
        if (!cases.tensors().tensors().contains("merged." + tensor)) continue;
        const std::vector<float> expected = cases.tensors().at("merged." + tensor).to_floats();
        REQUIRE(expected.size() == values.size());
        for (std::size_t i = 0; i < values.size(); ++i) REQUIRE(std::abs(values[i] - expected[i]) < 1e-6);
      }
      const AdapterDifferences found = compare(PaliGemma(merged), nullptr, cases);
      CHECK(found.wrong_ids == 0);
      CHECK(found.logits < 5e-4);
      CHECK(fs::exists(merged / "tokenizer.model"));
    }
  }
}

TEST_CASE("what a model folder has no place for is not merged") {
  const test::TestFolder place;
  for (const std::string adapter : {"lora_bias_language", "embed_tokens_saved"}) {
    const fs::path folder = kAdapters / "adapters/paligemma1-tiny" / adapter,
                   merged = place.path() / "merged";
    CHECK_THROWS_WITH_AS(write_merged_model(kModels / "paligemma1-tiny", folder, merged, "merged"),
                         doctest::Contains("cannot be merged"), ModelError);
    CHECK(!fs::exists(merged));
  }
}

TEST_CASE("a model in bf16 stays bf16 when an adapter is merged into it, unless f32 is asked for") {
  const test::TestFolder place;
  const fs::path adapter = kAdapters / "adapters/paligemma1-tiny/attention", model = place.path() / "model";
  write_merged_model(kModels / "paligemma1-tiny", adapter, model, "model", DataType::kBf16);
  CHECK(read_json(model / "config.json")["torch_dtype"] == "bfloat16");
  write_merged_model(model, adapter, place.path() / "halves", "merged");
  write_merged_model(model, adapter, place.path() / "whole", "merged", DataType::kF32);
  CHECK(Checkpoint(place.path() / "halves").all_bf16());
  CHECK(!Checkpoint(place.path() / "whole").all_bf16());
}

}  // namespace
}  // namespace palisade
