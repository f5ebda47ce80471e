#pragma once

#include <functional>
#include <string_view>

#include "model/tensor/matrix.h"

namespace palisade {

// Sees the activations as they are computed, under the names of the reference data ("vision.layer.0",
// "lm.final_norm", ...). Empty outside verification and tests.
using Observer = std::function<void(std::string_view name, ConstMatrixView rows)>;

}  // namespace palisade
