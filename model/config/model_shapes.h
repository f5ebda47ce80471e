#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/config/model_config.h"

namespace palisade {

// Shapes that a model can be given by name instead of a folder: every published PaliGemma and PaliGemma 2
// ("paligemma-3b-224", "paligemma2-10b-448"), and smaller ones of no checkpoint ("small-224", "tiny",
// "tiny2").
std::vector<std::string> shape_names();
std::optional<ModelConfig> config_of_shape(std::string_view name);

}  // namespace palisade
