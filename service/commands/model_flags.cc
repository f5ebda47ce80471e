#include "service/commands/model_flags.h"

#include <CLI/CLI.hpp>

#include "model/weights/weights_hash.h"
#include "service/commands/model_choice.h"
#include "service/terminal/exit_code.h"
#include "service/terminal/interrupt.h"

namespace palisade {

void add_model_flags(CLI::App& command, ModelFlags& flags, bool configured) {
  const auto with_default = [configured](const std::string& about, const char* otherwise) {
    return about + "; default: " + (configured ? "the configuration's" : otherwise);
  };
  command
      .add_option("--model", flags.folder,
                  with_default("Model folder in Hugging Face layout", "the demo model"))
      ->envname("PALISADE_MODEL")
      ->type_name("DIR");
  add_sha256_flag(command, flags.sha256, configured ? "; default: the configuration's" : "");
  command
      .add_option(
          "--sliding-window", flags.sliding_window,
          with_default("Attention of PaliGemma 2 beyond its window: as transformers, or none as big_vision",
                       "transformers"))
      ->envname("PALISADE_SLIDING_WINDOW")
      ->check(CLI::IsMember({"transformers", "none"}));
  command
      .add_option("--precision", flags.precision,
                  with_default("Number format of the weights; auto: the fastest on this CPU", "f32"))
      ->envname("PALISADE_PRECISION")
      ->check(CLI::IsMember({"f32", "bf16", "int8", "auto"}));
  command
      .add_option("--calibration", flags.calibration,
                  with_default("Calibration of int8 from `palisade model calibrate`",
                               "calibration.json of the model folder, if any"))
      ->envname("PALISADE_CALIBRATION")
      ->type_name("FILE");
  command
      .add_option(
          "--packed-cache", flags.packed_cache,
          with_default("Folder that keeps packed weights for the next start, as large as the model", "none"))
      ->envname("PALISADE_PACKED_CACHE")
      ->type_name("DIR");
}

void add_sha256_flag(CLI::App& command, std::string& sha256, const std::string& otherwise) {
  command
      .add_option("--model-sha256", sha256,
                  "SHA-256 that the weight files must have (model.sha256 of events)" + otherwise)
      ->envname("PALISADE_MODEL_SHA256")
      ->type_name("HEX")
      ->transform([](const std::string& text) {
        const auto hex = pinned_sha256(text);
        if (!hex) throw CLI::ValidationError("64 hex digits are expected, not '" + text + "'");
        return *hex;
      });
}

void apply(const ModelFlags& flags, Settings& settings) {
  if (!flags.folder.empty()) settings.model = flags.folder;
  if (!flags.sha256.empty()) settings.model_sha256 = flags.sha256;
  if (!flags.sliding_window.empty()) settings.sliding_window = *sliding_window_of(flags.sliding_window);
  if (!flags.precision.empty()) read_precision(flags.precision, settings.precision);
  if (!flags.calibration.empty()) settings.calibration = flags.calibration;
  if (!flags.packed_cache.empty()) settings.packed_cache = flags.packed_cache;
}

WeightOptions weight_options_of(const Settings& settings) {
  return {.packed_cache = settings.packed_cache,
          .calibration = settings.calibration,
          .sha256 = settings.model_sha256,
          .hash = weights_sha256};
}

EngineModelOptions options_of(const ModelFlags& flags) {
  EngineModelOptions options;
  if (!flags.sliding_window.empty()) options.sliding_window = *sliding_window_of(flags.sliding_window);
  if (!flags.precision.empty()) read_precision(flags.precision, options.precision);
  options.weights = {.packed_cache = flags.packed_cache,
                     .calibration = flags.calibration,
                     .sha256 = flags.sha256,
                     .hash = weights_sha256};
  return options;
}

std::unique_ptr<EngineModel> load_model(const ModelFlags& flags) {
  EngineModelOptions options = options_of(flags);
  options.weights.load_while_used = true;
  options.while_loading = std::make_shared<ImmediateExit>(kFailed);
  return load_chosen_model(flags.folder, options);
}

void add_adapter_flag(CLI::App& command, std::string& folder) {
  command
      .add_option("--adapter", folder,
                  "Folder of a LoRA beside the model, as PEFT or `palisade transfer --lora-rank` writes it; "
                  "default: none")
      ->envname("PALISADE_ADAPTER")
      ->type_name("DIR");
}

SharedAdapter load_adapter(EngineModel& model, const std::string& folder) {
  return folder.empty() ? nullptr : model.load_adapter(folder);
}

}  // namespace palisade
