#include "service/commands/model_flags.h"

#include <CLI/CLI.hpp>

#include "service/model_choice.h"

namespace palisade {

void add_model_flags(CLI::App& command, ModelFlags& flags) {
  command
      .add_option("--model", flags.folder, "A model folder in Hugging Face layout; default: the demo model")
      ->envname("PALISADE_MODEL")
      ->type_name("DIR");
  command
      .add_option("--sliding-window", flags.sliding_window,
                  "PaliGemma 2 beyond its window: as transformers does, or none as big_vision; default: "
                  "transformers")
      ->envname("PALISADE_SLIDING_WINDOW")
      ->check(CLI::IsMember({"transformers", "none"}));
}

std::unique_ptr<EngineModel> load_model(const ModelFlags& flags) {
  EngineModelOptions options;
  if (!flags.sliding_window.empty()) options.sliding_window = *sliding_window_of(flags.sliding_window);
  return load_chosen_model(flags.folder, options);
}

}  // namespace palisade
