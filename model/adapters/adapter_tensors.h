#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "model/config/model_config.h"
#include "model/matmul/low_rank.h"
#include "model/weights/safetensors.h"

namespace palisade {

inline constexpr char kAdapterWeightsFile[] = "adapter_model.safetensors";

// Which adapter stood beside a model, as events state it.
struct AdapterIdentity {
  std::string id;      // palisade.json's, else the folder's name
  std::string sha256;  // over adapter_model.safetensors, then adapter_config.json; lower-case hex
};

// A LoRA for PaliGemma, under the names of the model's own tensors.
struct AdapterTensors {
  std::filesystem::path folder = {};
  AdapterIdentity identity = {};
  // By the name of the matrix without its ".weight".
  std::map<std::string, LowRankMatrix> low_rank = {};
  // Biases and saved modules, which stand in the place of the model's.
  std::map<std::string, TensorView> replaced = {};

  // Of this matrix, without ".weight"; nullptr where it is not adapted.
  const LowRankMatrix* find(const std::string& matrix) const {
    const auto found = low_rank.find(matrix);
    return found == low_rank.end() ? nullptr : &found->second;
  }
  // Whether a matrix whose name begins so is adapted.
  bool has_any(const std::string& prefix) const {
    const auto first = low_rank.lower_bound(prefix);
    return first != low_rank.end() && first->first.starts_with(prefix);
  }
};

// Reads a folder as PEFT writes it, of whichever version of transformers the names of its modules are
// (tests/golden/reference/adapters/README.md has them all). Every tensor has its place in a model of this
// configuration, every A its B, and all are finite; else throws Error with the cause and the remedy.
AdapterTensors read_adapter(const std::filesystem::path& folder, const ModelConfig& config);

}  // namespace palisade
