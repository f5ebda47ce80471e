#pragma once

#include <memory>

#include "service/engine/engine_model.h"

namespace palisade {

// A test hook: the same answers from a machine that is `factor` times slower. What the model does takes as
// much longer, asleep.
std::unique_ptr<EngineModel> slowed(std::unique_ptr<EngineModel> model, double factor);

}  // namespace palisade
