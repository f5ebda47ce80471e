#pragma once

#include <memory>
#include <string>

#include "service/engine/engine_model.h"
#include "service/settings/settings.h"

namespace CLI {
class App;
}

namespace palisade {

// --model, --model-sha256, --sliding-window, --precision, --calibration and --packed-cache, as typed; empty
// where they were not.
struct ModelFlags {
  std::string folder;
  std::string sha256;
  std::string sliding_window;
  std::string precision;
  std::string calibration;
  std::string packed_cache;
};

// `configured`: of a command that reads a configuration, whose settings are what is not typed.
void add_model_flags(CLI::App& command, ModelFlags& flags, bool configured = false);
// --model-sha256 alone.
void add_sha256_flag(CLI::App& command, std::string& sha256, const std::string& otherwise = {});
// Flags and their variables come before the file.
void apply(const ModelFlags& flags, Settings& settings);
WeightOptions weight_options_of(const Settings& settings);
EngineModelOptions options_of(const ModelFlags& flags);
// For one question: the model is used while it is loaded. Throws Error.
std::unique_ptr<EngineModel> load_model(const ModelFlags& flags);

}  // namespace palisade
