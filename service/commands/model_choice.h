#pragma once

#include <filesystem>
#include <memory>

#include "service/engine/engine_model.h"

namespace palisade {

// Loads the model that a person named, or the demo model where none was, and says on stderr what must be
// known of it. Throws Error.
std::unique_ptr<EngineModel> load_chosen_model(const std::filesystem::path& folder,
                                               const EngineModelOptions& options = {});

}  // namespace palisade
