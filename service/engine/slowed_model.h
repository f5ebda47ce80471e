#pragma once

#include <memory>

#include "service/engine/engine_model.h"

namespace palisade {

// For tests: a model that gives the same answers `factor` times more slowly.
std::unique_ptr<EngineModel> slowed(std::unique_ptr<EngineModel> model, double factor);

}  // namespace palisade
