#pragma once

#include <cstddef>
#include <vector>

#include "model/adapters/adapter_tensors.h"
#include "model/config/model_config.h"
#include "model/matmul/low_rank.h"

namespace palisade {

// What an adapter adds to a LanguageModel. Immutable; any thread.
struct LanguageAdapter {
  struct Layer {
    LowRank qkv, attention_out, gate_up, down;
  };
  std::vector<Layer> layers;  // empty: nothing
  LowRank head;

  LanguageAdapter() = default;
  // `halves` as in LowRank.
  LanguageAdapter(const TextConfig& config, const AdapterTensors& adapter, bool halves);
  std::size_t bytes() const;
};

}  // namespace palisade
