#include "model/adapters/adapter_tensors.h"

#include <doctest/doctest.h>

#include <random>

#include "tests/ingest/test_files.h"
#include "tests/model/adapter_cases.h"

namespace palisade {
namespace {

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return char(std::tolower(c)); });
  return text;
}

TEST_CASE("every adapted module is found, with its rank and its scale") {
  for (const std::string name : {"paligemma1-tiny", "paligemma2-tiny"}) {
    const ModelConfig config = read_model_config(kModels / name);
    for (const std::string& adapter : adapter_names(name)) {
      CAPTURE(name);
      CAPTURE(adapter);
      const AdapterTensors tensors = read_adapter(kAdapters / "adapters" / name / adapter, config);
      const Json layers = AdapterCases(name, adapter).values()["layers"];
      CHECK(layers.size() == tensors.low_rank.size());
      const SafetensorsFile file(kAdapters / "adapters" / name / adapter / "adapter_model.safetensors");
      for (const auto& [module, about] : layers.items()) {
        CAPTURE(module);
        const LowRankMatrix* const found = tensors.find(module);
        REQUIRE(found != nullptr);
        CHECK(found->a.rows() == about["r"]);
        // b is scaled: find lora_B by its end.
        const std::string end =
            module.substr(module.find(".layers.") == std::string::npos ? 0 : module.find(".layers."));
        for (const auto& [key, tensor] : file.tensors()) {
          if (key.find(end + ".lora_B.weight") == std::string::npos) continue;
          if ((module.find("vision") == std::string::npos) != (key.find("vision") == std::string::npos))
            continue;
          const std::vector<float> b = tensor.to_floats();
          const auto largest =
              std::ranges::max_element(b, {}, [](float v) { return std::abs(v); }) - b.begin();
          CHECK(found->b.data()[largest] / b[largest] == doctest::Approx(about["scaling"].get<double>()));
        }
      }
    }
  }
}

TEST_CASE("an adapter that cannot be used is refused with the cause") {
  const Json cases = read_json(kAdapters / "refuse/cases.json")["cases"];
  CHECK(cases.size() == 33);
  for (const Json& one : cases) {
    const std::string folder = one["folder"];
    CAPTURE(folder);
    const ModelConfig config = read_model_config(kReference / one["base"].get<std::string>());
    std::string message;
    try {
      read_adapter(kAdapters / folder, config);
    } catch (const Error& error) {
      message = error.what();
    }
    CHECK(!message.empty());
    CAPTURE(message);
    for (const Json& word : one["message_names"])
      CHECK(lower(message).find(lower(word.get<std::string>())) != std::string::npos);
  }
}

TEST_CASE("what contradicts itself is refused, by name") {
  const test::TestFolder place;
  const ModelConfig config = read_model_config(kModels / "paligemma1-tiny");
  const ChangedAdapter whole(kAdapters / "adapters/paligemma1-tiny/modules_to_save");
  const std::string q = "base_model.model.model.language_model.layers.0.self_attn.q_proj.lora_A.weight",
                    projection = "base_model.model.model.multi_modal_projector.linear.";
  int number = 0;
  const auto refused = [&](const std::string& word, const auto& change) {
    CAPTURE(word);
    ChangedAdapter changed = whole;
    change(changed);
    const auto folder = changed.write(place.path() / std::to_string(++number));
    CHECK_THROWS_WITH_AS(read_adapter(folder, config), doctest::Contains(word.c_str()), Error);
  };
  read_adapter(whole.write(place.path() / "whole"), config);
  refused("multi_modal_projector.linear.bias is missing",
          [&](ChangedAdapter& one) { one.tensors.erase(projection + "bias"); });
  refused("nor of modules_to_save", [&](ChangedAdapter& one) { one.config["modules_to_save"] = nullptr; });
  refused("has shape [3]", [&](ChangedAdapter& one) { one.tensors[projection + "bias"] = {{3}, {1, 2, 3}}; });
  refused("twice", [&](ChangedAdapter& one) {
    one.tensors["base_model.model.language_model.model.layers.0.self_attn.q_proj.lora_A.weight"] =
        one.tensors[q];
  });
  refused("does not name", [&](ChangedAdapter& one) { one.config["target_modules"] = "model\\.vision.*"; });
  refused("no pattern that RE2 reads", [&](ChangedAdapter& one) {
    one.config["alpha_pattern"] = {{"(?!k_proj).*", 3}};
  });
  refused("look-ahead", [&](ChangedAdapter& one) { one.config["rank_pattern"] = {{"(?<=q)_proj", 3}}; });
  refused("new_method", [&](ChangedAdapter& one) { one.config["new_method"] = {{"rank", 1}}; });
  refused("lora_alpha", [&](ChangedAdapter& one) { one.config["lora_alpha"] = "8"; });
  refused("use_rslora", [&](ChangedAdapter& one) { one.config["use_rslora"] = "yes"; });
  refused("target_modules", [&](ChangedAdapter& one) { one.config["target_modules"] = 3; });
  refused("rank_pattern", [&](ChangedAdapter& one) { one.config["rank_pattern"] = {{"q_proj", 0}}; });
}

TEST_CASE("what Python's patterns alone can say of targets is left to the tensors") {
  const test::TestFolder place;
  const ModelConfig config = read_model_config(kModels / "paligemma1-tiny");
  ChangedAdapter adapter(kAdapters / "adapters/paligemma1-tiny/attention_language");
  adapter.config["target_modules"] = "^(?!.*vision_tower).*(q_proj|k_proj|v_proj|o_proj)$";
  CHECK(read_adapter(adapter.write(place.path() / "a"), config).low_rank.size() == 12);
}

TEST_CASE("a truncated or mutated adapter never crashes") {
  const test::TestFolder place;
  const ModelConfig config = read_model_config(kModels / "paligemma1-tiny");
  const unsigned seed = 20261201;
  MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  const auto source = kAdapters / "adapters/paligemma1-tiny/lora_bias_vision";
  for (const char* const name : {"adapter_config.json", "adapter_model.safetensors"}) {
    std::ifstream stream(source / name, std::ios::binary);
    const std::string whole{std::istreambuf_iterator<char>(stream), {}};
    const auto folder = place.path() / name;
    std::filesystem::create_directories(folder);
    for (const char* const other : {"adapter_config.json", "adapter_model.safetensors"})
      std::filesystem::copy_file(source / other, folder / other);
    std::filesystem::permissions(folder / name, std::filesystem::perms::owner_write,
                                 std::filesystem::perm_options::add);
    for (int round = 0; round < 200; ++round) {
      std::string text = whole.substr(0, round % 4 == 0 ? random() % whole.size() : whole.size());
      // Most of what can go wrong is in the header.
      for (int i = 0; i < 3 && !text.empty(); ++i)
        text[random() % std::min<std::size_t>(text.size(), 4096)] ^= char(1u << random() % 8);
      std::ofstream(folder / name, std::ios::binary) << text;
      try {
        read_adapter(folder, config);
      } catch (const Error&) {
      }
    }
  }
}

}  // namespace
}  // namespace palisade
