#pragma once

#include <filesystem>
#include <memory>

#include "service/engine/engine_model.h"

namespace palisade {

// Loads the model in `folder`, or the demo model where it is empty, and logs what a user must know of it.
// Throws Error.
std::unique_ptr<EngineModel> load_chosen_model(const std::filesystem::path& folder,
                                               const EngineModelOptions& options = {});

}  // namespace palisade
