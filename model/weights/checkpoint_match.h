#pragma once

#include "model/config/model_config.h"
#include "model/weights/checkpoint.h"

namespace palisade {

// `config`, and what these weights add to it: whether the head is the embedding. Throws Error where
// config.json unties a head that is not there, and where a tensor is there that nothing reads, so that it may
// be another model than config.json says.
ModelConfig matched(ModelConfig config, const Checkpoint& checkpoint);

}  // namespace palisade
