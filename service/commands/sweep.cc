#include "service/transfer/sweep.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/folder_lock.h"
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

struct SweepOptions {
  RecipeFlags recipe;
  bool in_order = false;
  std::string run;
  std::string resume;
  bool json = false;
};

void read_over(const SweepOptions& options, SweepSettings& sweep) {
  const std::string& file = options.recipe.recipe;
  if (!file.empty()) read_sweep(read_text_file(file, 1u << 20), file, sweep);
  const std::string given = options.recipe.text(true);
  if (!given.empty()) read_sweep(given, "command line", sweep);
}

// A resumed sweep keeps the settings with which it began.
SweepSettings resumed_settings_of(const SweepOptions& options, SweepSettings begun) {
  begun.recipe = with_canonical_paths(begun.recipe);
  SweepSettings given = begun;
  read_over(options, given);
  given.recipe = with_canonical_paths(given.recipe);
  given.in_order = given.in_order || options.in_order;
  refuse_contradictions(differing_keys(sweep_text(begun), sweep_text(given)));
  return begun;
}

SweepSettings settings_of(const SweepOptions& options) {
  SweepSettings sweep{.recipe = {.model = demo_model_folder()}, .axes = {}};
  read_over(options, sweep);
  if (options.in_order || sweep.axes.empty()) sweep.in_order = true;
  check(sweep);
  return sweep;
}

int run_sweep(const SweepOptions& options) {
  if (options.resume.empty() == options.run.empty())
    throw UsageError("give --run FOLDER for a new sweep or --resume FOLDER to go on with one");
  const bool resumed = !options.resume.empty();
  const SweepFolder folder(resumed ? options.resume : options.run);
  folder.require_fit(resumed);
  const SweepSettings settings =
      resumed ? resumed_settings_of(options, folder.settings()) : settings_of(options);
  if (!resumed) folder.begin(settings);
  auto lock = std::make_unique<FolderLock>(folder.path());
  const Interrupt interrupt;
  SweepResult result;
  try {
    result = sweep(settings, folder, interrupt.token());
  } catch (...) {
    lock.reset();
    if (!resumed) folder.forget();
    throw;
  }
  const SweepRun* const best = best_of(result.runs);
  if (options.json) {
    print_line(json_of(result.runs, result.keys).dump(-1, ' ', false, Json::error_handler_t::replace));
  } else {
    print_line(table_of(result.runs, result.keys) +
               (best ? "\n" + (folder.run(best->name) / "model").string() : ""));
  }
  if (result.stopped)
    log_info("sweep: stopped; go on with --resume " + (resumed ? options.resume : options.run));
  return result.stopped || best == nullptr ? kFailed : kDone;
}

}  // namespace

void add_sweep(CLI::App& app, Run& run) {
  CLI::App* const command =
      app.add_subcommand("sweep", "Try hyper-parameters of a transfer and report the best");
  const auto options = std::make_shared<SweepOptions>();
  command->add_option("--run", options->run, "New folder for the runs, report.md and report.svg")
      ->envname("PALISADE_RUN")
      ->type_name("DIR");
  command
      ->add_option("--resume", options->resume, "Folder of a sweep to go on with: unfinished and failed runs")
      ->envname("PALISADE_RESUME")
      ->type_name("DIR");
  command->add_flag("--in-order", options->in_order,
                    "Try one hyper-parameter after the other, each with the best values of those before");
  command->add_flag("--json", options->json,
                    "Print one JSON line: best, runs (run, values, metric, exact, loss, seconds)");
  add_recipe_flags(*command, options->recipe);
  command->footer(
      "\nA recipe's value or a flag may be a list (epochs: [1, 3] or --epochs 1,3): every combination is "
      "run. "
      "Without any list the published values are tried in order, which takes long: resolution (once, twice "
      "and four "
      "times the model's), epochs 1 to 100, learning_rate, label_smoothing, llm_dropout, weight_decay, "
      "freeze_vit, "
      "beams.\n"
      "The best run has the highest --metric of --evaluation, then the most exact answers, then the least "
      "loss. A run that fails is "
      "told and "
      "the others go on. Weights are kept of the best run alone; palisade transfer DIR/run002/recipe.yaml "
      "--run ... "
      "makes another's again.\n"
      "\nExamples:\n"
      "  palisade sweep --data train.jsonl --evaluation test.jsonl --epochs 3,10 --learning-rate 1e-4,3e-5 "
      "--run sweeps/first\n"
      "  palisade sweep --in-order --data train.jsonl --evaluation test.jsonl --epochs 3,10 "
      "--freeze-vit=false,true\n"
      "      --run sweeps/second\n"
      "  palisade sweep --resume sweeps/first");
  command->callback([&run, options] { run = [options] { return run_sweep(*options); }; });
}

}  // namespace palisade
