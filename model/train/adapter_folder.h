#pragma once

#include <filesystem>
#include <string>

#include "model/train/parameters.h"

namespace palisade {

// Whether there is an adapter to write: matrices trained as LoRA, of a model of the same picture size.
bool has_adapter(const Parameters& parameters);

// Writes what was trained with LoRA as PEFT does, in the names of transformers 4.52 and later: A and B of
// each matrix, and the projection whole where it was trained (modules_to_save). To be called before the
// adapters are merged. `base`: the model's folder, which the configuration names. The folder appears whole or
// not at all; it must not be there yet. Throws Error.
void write_adapter_folder(const Parameters& parameters, const std::filesystem::path& base,
                          const std::filesystem::path& target, const std::string& id);

}  // namespace palisade
