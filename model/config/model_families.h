#pragma once

#include <string>
#include <string_view>

namespace palisade {

// What a model_type is: is "llava": LLaVA, another family
std::string about_family(const std::string& type);

// What a config.json's model_type is when it is none of those that are asked for, and which are read here:
// is "llava": LLaVA, another family; ...
std::string about_model_type(const std::string& type);

}  // namespace palisade
