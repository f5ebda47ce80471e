#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "model/weights/safetensors.h"

namespace palisade {

// Writes a model folder whose weights are those of `model` with the adapter in them: W + scale B A, and what
// it replaces. Answers are those of the model with the adapter beside it, but for rounding. `type`: F32 or
// BF16; nothing: BF16 where all of the model's weights are, else F32. One tensor at a time is in memory.
// Throws Error where the adapter cannot be used, or cannot be merged: a bias where the model has none, an
// embedding or head alone where the model ties them. The target must not be there yet.
void write_merged_model(const std::filesystem::path& model, const std::filesystem::path& adapter,
                        const std::filesystem::path& target, const std::string& id,
                        std::optional<DataType> type = std::nullopt);

}  // namespace palisade
