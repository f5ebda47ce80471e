#include "service/transfer/transfer.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "service/commands/command.h"
#include "service/commands/model_choice.h"
#include "service/commands/recipe_flags.h"
#include "service/terminal/interrupt.h"
#include "service/terminal/output.h"
#include "service/transfer/resumed_settings.h"

namespace palisade {
namespace {

struct TransferOptions {
  RecipeFlags recipe;
  std::string run;
  std::string resume;
};

// Reads the recipe, then the flags, which win over it.
void read_over(const RecipeFlags& flags, TransferSettings& settings) {
  if (!flags.recipe.empty()) read_recipe(read_text_file(flags.recipe, 1u << 20), flags.recipe, settings);
  const std::string given = flags.text();
  if (!given.empty()) read_recipe(given, "command line", settings);
}

TransferSettings resumed_settings_of(const RecipeFlags& flags, const TransferSettings& begun) {
  TransferSettings given = begun;
  read_over(flags, given);
  return resumed_settings(begun, given);
}

TransferSettings settings_of(const RecipeFlags& flags) {
  TransferSettings settings{.model = demo_model_folder()};
  read_over(flags, settings);
  check(settings);
  return settings;
}

int run_transfer(const TransferOptions& options) {
  if (options.resume.empty() == options.run.empty())
    throw UsageError("give --run FOLDER for a new transfer or --resume FOLDER to go on with one");
  const bool resumed = !options.resume.empty();
  const RunFolder run(resumed ? options.resume : options.run);
  run.require_fit(resumed);
  const TransferSettings settings =
      resumed ? resumed_settings_of(options.recipe, run.settings()) : settings_of(options.recipe);
  const Interrupt interrupt;
  InputFiles inputs;
  if (!transfer(settings, run, interrupt.token(), "transfer", inputs)) {
    log_info("transfer: stopped; go on with --resume " + (resumed ? options.resume : options.run));
    return kFailed;
  }
  const bool merged = std::filesystem::exists(run.model());
  print_line((merged ? run.model() : run.adapter()).string());
  return kDone;
}

}  // namespace

void add_transfer(CLI::App& app, Run& run) {
  CLI::App* const command = app.add_subcommand("transfer", "Teach a model your own examples");
  const auto options = std::make_shared<TransferOptions>();
  command->add_option("--run", options->run, "New folder for settings, metrics, curves, checkpoint and model")
      ->envname("PALISADE_RUN")
      ->type_name("DIR");
  command->add_option("--resume", options->resume, "Folder of a transfer to go on with, from its checkpoint")
      ->envname("PALISADE_RESUME")
      ->type_name("DIR");
  add_recipe_flags(*command, options->recipe);
  command->footer(
      "\nAn example is a line {\"image\": \"a.jpg\", \"prefix\": \"caption en\", \"suffix\": \"a red car\"}, "
      "with "
      "\"images\": [...] for several or \"video\" for a film; paths are relative to the file of examples.\n"
      "Every picture and every film's first frame is decoded once before the first step. --resume gives the "
      "same "
      "model, bit for bit; only when checkpoints and evaluations are made, and --picture-memory-mb, may be "
      "changed. What filters leave out is listed in the run's removed.jsonl.\n"
      "With --metric each evaluation writes the model into the run folder for a while and has it answer as "
      "the service would; lines of --evaluation may then have \"answers\" and whatever else palisade "
      "evaluate "
      "reads of them.\n"
      "\nExamples:\n"
      "  palisade transfer --data train.jsonl --evaluation test.jsonl --run runs/first --epochs 10\n"
      "  palisade transfer configs/recipes/nlvr2_224.yaml --model paligemma-3b-pt-224 --data pairs.jsonl "
      "--run runs/nlvr2\n"
      "  palisade transfer configs/recipes/stage1_224.yaml --model stage0 --mixture mixture.yaml --run "
      "runs/stage1\n"
      "  palisade transfer --resume runs/nlvr2");
  command->callback([&run, options] { run = [options] { return run_transfer(*options); }; });
}

}  // namespace palisade
