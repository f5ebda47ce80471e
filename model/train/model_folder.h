#pragma once

#include <filesystem>
#include <string>

#include "model/train/parameters.h"
#include "model/weights/safetensors.h"

namespace palisade {

// Merges the adapters and writes a folder in Hugging Face layout, which palisade and transformers load as it
// is: the weights in f32 or rounded to bf16, the configuration and preprocessor of `source` with what
// training changed (type of the weights, picture size), and its tokenizer. The folder appears whole or not at
// all; it must not be there yet. Throws Error.
void write_model_folder(Parameters& parameters, const std::filesystem::path& source,
                        const std::filesystem::path& target, const std::string& id,
                        DataType type = DataType::kF32);

}  // namespace palisade
