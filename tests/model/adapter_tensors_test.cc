#include "model/adapters/adapter_tensors.h"

#include <doctest/doctest.h>

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

}  // namespace
}  // namespace palisade
