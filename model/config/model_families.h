#pragma once

#include <string>
#include <string_view>

namespace palisade {

// What a config.json's model_type is when it is none of those that are asked for, and which are read here:
// is "llava": LLaVA, another family; ...
std::string about_model_type(const std::string& type);

}  // namespace palisade
