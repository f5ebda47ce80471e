#include "model/config/model_families.h"

#include <algorithm>

namespace palisade {
namespace {

struct Family {
  std::string_view beginning;  // of a model_type
  std::string_view name;
};

constexpr Family kFamilies[] = {{"siglip2", "SigLIP 2"},
                                {"siglip_", "a part of SigLIP"},
                                {"clip", "CLIP"},
                                {"llava", "LLaVA"},
                                {"vipllava", "LLaVA"},
                                {"video_llava", "LLaVA"},
                                {"gemma3n", "Gemma 3n"},
                                {"gemma3", "Gemma 3"},
                                {"gemma4", "Gemma 4"},
                                {"gemma", "Gemma, which sees no pictures"},
                                {"t5gemma", "T5Gemma"},
                                {"shieldgemma", "ShieldGemma"},
                                {"colpali", "ColPali, which finds documents"},
                                {"pi0", "a robot's model"},
                                {"idefics", "Idefics"},
                                {"smolvlm", "SmolVLM"},
                                {"qwen", "Qwen"},
                                {"mllama", "Llama"},
                                {"llama", "Llama"},
                                {"instructblip", "BLIP"},
                                {"blip", "BLIP"},
                                {"florence", "Florence"},
                                {"internvl", "InternVL"},
                                {"phi", "Phi"},
                                {"mistral", "Mistral"},
                                {"pixtral", "Pixtral"},
                                {"kosmos", "Kosmos"},
                                {"minicpm", "MiniCPM"},
                                {"moondream", "Moondream"},
                                {"molmo", "Molmo"}};

}  // namespace

std::string about_family(const std::string& type) {
  if (type.empty()) return "is not named";
  const auto family =
      std::ranges::find_if(kFamilies, [&](const Family& one) { return type.starts_with(one.beginning); });
  const std::string named = family == std::end(kFamilies) ? "" : std::string(family->name) + ", ";
  return "is \"" + type + "\": " + named + "another family";
}

std::string about_model_type(const std::string& type) {
  return about_family(type) +
         "; Palisade answers with PaliGemma and PaliGemma 2 (model_type paligemma), and compares with "
         "SigLIP (siglip)";
}

}  // namespace palisade
