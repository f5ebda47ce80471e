#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>

#include "base/log.h"
#include "service/bench/memory.h"
#include "service/bench/plan.h"
#include "service/commands/command.h"
#include "service/commands/model_flags.h"
#include "service/terminal/output.h"

namespace palisade {
namespace {

struct PlanOptions {
  std::string config;
  ModelFlags model;
  PlanAssumptions assumptions;
  bool json = false;
};

int plan(const PlanOptions& options) {
  Settings settings = read_settings(options.config);
  apply(options.model, settings);
  const std::filesystem::path folder = settings.model.empty() ? demo_model_folder() : settings.model;
  const ModelConfig config = read_model_config(folder);
  // Memory is checked before the tokenizer, which counts prompt tokens, is loaded; so it is checked for the
  // longest clip alone.
  const Precision precision = chosen_precision(settings.precision);
  require_memory(
      folder.string() + " in " + std::string(name_of(precision)),
      memory_needed(config, std::min(16 * config.image_tokens(), config.text.max_position_embeddings),
                    bytes_per_weight(name_of(precision))),
      available_memory());
  log_info("plan: loading " + folder.string());
  const PaliGemma model(folder, settings.sliding_window, precision, weight_options_of(settings));
  const PromptLength length = [&](const std::string& prompt) { return int(model.prompt_ids(prompt).size()); };
  const int image_tokens = model.config().image_tokens();
  const std::vector<int> lengths = planned_lengths(settings, image_tokens, length);
  model.require_room(lengths.back() + settings.engine.max_new_tokens);
  const Figures figures =
      measure_figures(model, lengths, [](const std::string& step) { log_info("plan: " + step); });
  AdapterCosts adapters;
  for (const StreamSettings& stream : settings.streams) {
    for (const TaskSettings& task : stream.tasks) {
      if (task.adapter.empty() || adapters.contains(task.adapter)) continue;
      adapters[task.adapter] = measure_adapter(model, model.load_adapter(task.adapter), lengths.front(),
                                               [](const std::string& step) { log_info("plan: " + step); });
    }
  }
  Plan made = make_plan(settings, options.assumptions, figures, image_tokens, length, adapters);
  made.model = model.identity().id;
  made.precision = model.identity().precision;
  if (options.json) {
    print_line(json_of(made).dump(-1, ' ', false, Json::error_handler_t::replace));
  } else {
    std::string table = table_of(made);
    table.pop_back();
    print_line(table);
  }
  return kDone;
}

}  // namespace

void add_plan(CLI::App& app, Run& run) {
  CLI::App* const command = app.add_subcommand(
      "plan", "What load a configuration makes, what this machine carries, and what would be degraded");
  const auto options = std::make_shared<PlanOptions>();
  command->add_option("CONFIG", options->config, "Configuration file")->required();
  add_model_flags(*command, options->model, true);
  command
      ->add_option("--fps", options->assumptions.frames_per_second,
                   "Frames a second of each camera; default: 25")
      ->check(CLI::Range(0.1, 240.0));
  command
      ->add_option("--keyframe-every", options->assumptions.seconds_to_keyframe,
                   "Seconds from one keyframe of a camera to the next; default: 2")
      ->check(CLI::Range(0.01, 60.0));
  command
      ->add_option("--answer-tokens", options->assumptions.answer_tokens, "Tokens of an answer; default: 16")
      ->check(CLI::Range(1, 512));
  command->add_flag("--json", options->json, "Print one JSON line");
  command->footer(
      "\nMeasures the configuration's model (seconds for the demo model, minutes for a 3B), then plays ten "
      "minutes "
      "of the configuration by the service's own rules. Load is the model's seconds of work for each second: "
      "a "
      "machine carries 1.\n"
      "\nExample:\n  palisade plan configs/palisade.yaml");
  command->callback([&run, options] { run = [options] { return plan(*options); }; });
}

}  // namespace palisade
