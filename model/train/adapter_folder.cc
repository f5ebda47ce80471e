#include "model/train/adapter_folder.h"

#include <vector>

#include "base/json.h"
#include "base/whole_file.h"
#include "model/adapters/adapter_config.h"
#include "model/adapters/adapter_tensors.h"
#include "model/weights/folder_writer.h"
#include "model/weights/safetensors_writer.h"

namespace palisade {
namespace {

constexpr std::string_view kDown = ".lora_down", kUp = ".lora_up";
constexpr std::string_view kProjectionModule = "multi_modal_projector";

// A matrix's module as PEFT names it from transformers 4.52 on.
std::string peft_module(const std::string& released) {
  constexpr std::string_view kLanguage = "language_model.model.";
  const std::string rest =
      released.starts_with(kLanguage) ? "language_model." + released.substr(kLanguage.size()) : released;
  return "base_model.model.model." + rest;
}

// The matrices that share the adapter of the first, one below the other (see tensors.cc).
std::vector<std::string> stacked_with(const std::string& first) {
  const std::size_t dot = first.rfind('.') + 1;
  const std::string part = first.substr(0, dot), name = first.substr(dot);
  if (name == "q_proj") return {first, part + "k_proj", part + "v_proj"};
  if (name == "gate_proj") return {first, part + "up_proj"};
  return {first};
}

Json peft_config_of(const Parameters& parameters, int rank, const std::filesystem::path& base,
                    bool projection) {
  std::string targets = R"(.*language_model.*\.(q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj))";
  if (parameters.trains(ModelPart::kImageEncoder))
    targets += R"(|.*vision_tower.*\.(q_proj|k_proj|v_proj|out_proj|fc1|fc2))";
  Json config = {{"peft_type", "LORA"},
                 {"base_model_name_or_path", std::filesystem::absolute(base).string()},
                 {"auto_mapping",
                  {{"base_model_class", "PaliGemmaForConditionalGeneration"},
                   {"parent_library", "transformers.models.paligemma.modeling_paligemma"}}},
                 {"r", rank},
                 {"lora_alpha", rank},
                 {"lora_dropout", 0.0},
                 {"target_modules", targets},
                 {"modules_to_save", nullptr},
                 {"bias", "none"},
                 {"fan_in_fan_out", false},
                 {"inference_mode", true},
                 {"init_lora_weights", true},
                 {"rank_pattern", Json::object()},
                 {"alpha_pattern", Json::object()},
                 {"use_rslora", false},
                 {"use_dora", false},
                 {"task_type", nullptr},
                 {"revision", nullptr}};
  if (projection) config["modules_to_save"] = {kProjectionModule};
  return config;
}

}  // namespace

bool has_adapter(const Parameters& parameters) {
  for (const Parameters::Tensor& tensor : parameters.tensors()) {
    if (tensor.trained && tensor.spec.name.ends_with(kDown)) return !parameters.resampled();
  }
  return false;
}

void write_adapter_folder(const Parameters& parameters, const std::filesystem::path& base,
                          const std::filesystem::path& target, const std::string& id) {
  std::vector<NamedFloats> tensors;
  int rank = 0;
  bool projection = false;
  for (const Parameters::Tensor& tensor : parameters.tensors()) {
    const std::string& name = tensor.spec.name;
    if (tensor.trained && tensor.spec.part == ModelPart::kProjection) {
      tensors.push_back({peft_module(name), tensor.spec.shape, tensor.value});
      projection = true;
    }
    if (!tensor.trained || !name.ends_with(kDown)) continue;
    const std::string first = name.substr(0, name.size() - kDown.size());
    std::span<const float> up = parameters.tensor(first + std::string(kUp)).value;
    rank = int(tensor.spec.shape[0]);
    for (const std::string& matrix : stacked_with(first)) {
      const std::int64_t outputs = parameters.tensor(matrix + ".weight").spec.shape[0];
      const auto size = std::size_t(outputs * rank);
      tensors.push_back({peft_module(matrix) + ".lora_A.weight", tensor.spec.shape, tensor.value});
      tensors.push_back({peft_module(matrix) + ".lora_B.weight", {outputs, rank}, up.first(size)});
      up = up.subspan(size);
    }
  }
  write_whole_folder(target, [&](const std::filesystem::path& folder) {
    write_whole_file(folder / kAdapterConfigFile,
                     peft_config_of(parameters, rank, base, projection).dump(2) + "\n");
    write_identity(folder, id);
    write_safetensors(folder / kAdapterWeightsFile, tensors, {{"format", "pt"}});
  });
}

}  // namespace palisade
