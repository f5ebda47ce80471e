#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "model/config/model_config.h"
#include "model/weights/safetensors.h"

namespace palisade {

// What `fill` writes into the folder that it is given becomes `target`, whole or not at all; it must not be
// there yet. Throws Error.
void write_whole_folder(const std::filesystem::path& target,
                        const std::function<void(const std::filesystem::path& folder)>& fill);
// The name by which events know what the folder holds (palisade.json, see identify()).
void write_identity(const std::filesystem::path& folder, const std::string& id);

// Writes a folder in Hugging Face layout, which palisade and transformers load as it is: the configuration
// and preprocessor of `source` with what `config` and `type` (F32 or BF16) change, its tokenizer and other
// files, and the weights, which `write_weights` writes to the file that it is given. The folder appears whole
// or not at all; it must not be there yet. Throws Error.
void write_model_folder(const std::filesystem::path& source, const std::filesystem::path& target,
                        const std::string& id, const ModelConfig& config, DataType type,
                        const std::function<void(const std::filesystem::path& file)>& write_weights);

}  // namespace palisade
