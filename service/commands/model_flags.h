#pragma once

#include <memory>
#include <string>

#include "service/engine/engine_model.h"
#include "service/settings/settings.h"

namespace CLI {
class App;
}

namespace palisade {

// Values of --model, --model-sha256, --sliding-window, --precision, --calibration and --packed-cache; empty
// where a flag was not given.
struct ModelFlags {
  std::string folder;
  std::string sha256;
  std::string sliding_window;
  std::string precision;
  std::string calibration;
  std::string packed_cache;
};

// `configured`: the command reads a configuration, whose settings are the defaults.
void add_model_flags(CLI::App& command, ModelFlags& flags, bool configured = false);
// Adds --model-sha256 alone.
void add_sha256_flag(CLI::App& command, std::string& sha256, const std::string& otherwise = {});
// Flags and their variables win over the configuration file.
void apply(const ModelFlags& flags, Settings& settings);
WeightOptions weight_options_of(const Settings& settings);
EngineModelOptions options_of(const ModelFlags& flags);
// Adds --adapter.
void add_adapter_flag(CLI::App& command, std::string& folder);
// nullptr where no folder was given. Throws Error.
SharedAdapter load_adapter(EngineModel& model, const std::string& folder);
// Loads the model for one question: it can be used while its later parts are still loading. Throws Error.
std::unique_ptr<EngineModel> load_model(const ModelFlags& flags);

}  // namespace palisade
