#include "service/transfer/transfer.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <string>

#include "model/json.h"
#include "service/command_line.h"
#include "service/commands/command.h"
#include "service/interrupt.h"
#include "service/log.h"
#include "service/model_choice.h"
#include "service/output.h"

namespace palisade {
namespace {

struct TransferOptions {
  std::string recipe;
  std::string run;
  std::string resume;
  std::map<std::string, std::string> values;  // by their keys in a recipe, as typed
  std::map<std::string, bool> switches;
};

struct Key {
  const char* name;
  const char* about;
};
constexpr Key kPaths[] = {{"model", "The model folder to start from; default: the demo model"},
                          {"data", "Examples, JSONL"},
                          {"evaluation", "Examples to evaluate on, JSONL"}};
// In decreasing order of importance, then the rest.
constexpr Key kValues[] = {
    {"resolution", "Pixels a side; default: the model's own"},
    {"epochs", "How often each example is seen; default: 1"},
    {"learning_rate", "Default: 1e-5"},
    {"label_smoothing", "Default: 0"},
    {"llm_dropout", "Dropout in the language model; default: 0"},
    {"weight_decay", "Usually 0 or a tenth of the learning rate; default: 0"},
    {"beams", "Of the evaluation at the end; default: 1"},
    {"examples", "Seen in all, instead of epochs"},
    {"batch_size", "Examples a step; default: 64"},
    {"examples_at_once", "In one pass; gradients of a batch's passes add up; default: 8"},
    {"text_length", "Most tokens of prefix and suffix; default: 64"},
    {"warmup", "Share of the steps; default: 0.05"},
    {"image_warmup", "The image encoder's, where it is longer"},
    {"parts", "What is trained: all, language or projection; default: all"},
    {"lora_rank", "Train adapters of this rank, not the towers' weights; default: 0"},
    {"resize", "A resize preset; default: the model's own"},
    {"frames", "Of a video; default: 16"},
    {"frame_step", "From one frame of a video to the next; default: 1"},
    {"seed", "Of order and dropout; default: 0"},
    {"evaluate_every", "Steps; default: at the end alone"},
    {"checkpoint_every", "Steps; default: at the end alone"}};
constexpr Key kSwitches[] = {{"freeze_vit", "Do not train the image encoder"},
                             {"allow_empty_suffix", "An empty answer is an answer"}};

std::string flag_of(const Key& key) {
  std::string flag = std::string("--") + key.name;
  std::ranges::replace(flag, '_', '-');
  return flag;
}

std::string variable_of(const Key& key) {
  std::string variable = std::string("PALISADE_") + key.name;
  std::ranges::transform(variable, variable.begin(), [](unsigned char c) { return char(std::toupper(c)); });
  return variable;
}

// The recipe, and over it what the command line says.
TransferSettings settings_of(const TransferOptions& options) {
  TransferSettings settings{.model = demo_model_folder()};
  if (!options.recipe.empty())
    read_recipe(read_text_file(options.recipe, 1u << 20), options.recipe, settings);
  std::string given;
  for (const auto& [key, value] : options.values) {
    const bool path = std::ranges::any_of(kPaths, [&](const Key& known) { return key == known.name; });
    if (!value.empty()) given += key + ": " + (path ? Json(value).dump() : value) + "\n";
  }
  for (const auto& [key, value] : options.switches) {
    if (value) given += key + ": true\n";
  }
  if (!given.empty()) read_recipe(given, "command line", settings);
  check(settings);
  return settings;
}

int run_transfer(const TransferOptions& options) {
  if (options.resume.empty() == options.run.empty())
    throw UsageError("give --run FOLDER for a new transfer or --resume FOLDER to go on with one");
  const bool resumed = !options.resume.empty();
  const RunFolder run(resumed ? options.resume : options.run);
  run.require_fit(resumed);
  const TransferSettings settings = resumed ? run.settings() : settings_of(options);
  const Interrupt interrupt;
  if (!transfer(settings, run, interrupt.token())) {
    log_info("transfer: stopped; go on with --resume " + (resumed ? options.resume : options.run));
    return kFailed;
  }
  print_line(run.model().string());
  return kDone;
}

}  // namespace

void add_transfer(CLI::App& app, Run& run) {
  CLI::App* const command = app.add_subcommand("transfer", "Teach a model your own examples");
  const auto options = std::make_shared<TransferOptions>();
  command
      ->add_option("RECIPE", options->recipe,
                   "A recipe such as configs/recipes/nlvr2_224.yaml; flags go before it")
      ->type_name("FILE");
  command->add_option("--run", options->run, "A new folder: settings, metrics, curves, checkpoint, model")
      ->envname("PALISADE_RUN")
      ->type_name("DIR");
  command
      ->add_option("--resume", options->resume, "Go on with the transfer of this folder, from its checkpoint")
      ->envname("PALISADE_RESUME")
      ->type_name("DIR");
  for (const Key& key : kPaths)
    command->add_option(flag_of(key), options->values[key.name], key.about)
        ->envname(variable_of(key))
        ->type_name("PATH");
  for (const Key& key : kValues)
    command->add_option(flag_of(key), options->values[key.name], key.about)->envname(variable_of(key));
  for (const Key& key : kSwitches)
    command->add_flag(flag_of(key), options->switches[key.name], key.about)->envname(variable_of(key));
  command->footer(
      "\nEach line of the examples: {\"image\": \"a.jpg\", \"prefix\": \"caption en\", \"suffix\": \"a red "
      "car\"}, with\n"
      "\"images\": [...] for several or \"video\" for a film; paths are relative to that file.\n"
      "\nExamples:\n"
      "  palisade transfer --data train.jsonl --evaluation test.jsonl --run runs/first --epochs 10\n"
      "  palisade transfer configs/recipes/nlvr2_224.yaml --model paligemma-3b-pt-224 --data pairs.jsonl "
      "--run runs/nlvr2\n"
      "  palisade transfer --resume runs/nlvr2");
  command->callback([&run, options] { run = [options] { return run_transfer(*options); }; });
}

}  // namespace palisade
