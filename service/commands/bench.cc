#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/log.h"
#include "base/whole_file.h"
#include "model/config/model_shapes.h"
#include "model/weights/random_checkpoint.h"
#include "service/bench/bench_report.h"
#include "service/bench/memory.h"
#include "service/commands/command.h"
#include "service/commands/model_flags.h"
#include "service/terminal/output.h"

namespace palisade {
namespace {

struct BenchOptions {
  ModelFlags model;
  std::string shape;
  std::vector<std::string> stages;
  int repeat = 5;
  bool quick = false;
  bool json = false;
  std::string picture;
  std::string versus;
};

std::vector<Stage> stages_of(const BenchOptions& options) {
  if (!options.stages.empty()) return stages_named(options.stages);
  std::vector<Stage> stages;
  for (const Stage& stage : all_stages()) {
    if (!options.quick || !stage.long_one) stages.push_back(stage);
  }
  return stages;
}

// PALISADE_MODEL beside --shape is fine; --model beside --shape is a mistake.
void check(const BenchOptions& options) {
  if (options.shape.empty()) return;
  const auto flagged = [](const std::string& value, const char* variable) {
    const char* const by_environment = std::getenv(variable);
    return !value.empty() && value != (by_environment ? by_environment : "");
  };
  if (flagged(options.model.folder, "PALISADE_MODEL"))
    throw UsageError("--model and --shape are two models; give one of them");
  if (flagged(options.model.calibration, "PALISADE_CALIBRATION") ||
      flagged(options.model.packed_cache, "PALISADE_PACKED_CACHE")) {
    throw UsageError("the random weights of --shape have no calibration and are not kept; leave " +
                     std::string("--calibration and --packed-cache out"));
  }
}

int longest_of(const std::vector<Stage>& stages, const ModelConfig& config) {
  int positions = kDecodeContext;
  for (const Stage& stage : stages) {
    if (stage.kind == StageKind::kPrefill) positions = std::max(positions, stage.size);
  }
  return std::min(positions, config.text.max_position_embeddings);
}

std::unique_ptr<PaliGemma> loaded(const BenchOptions& options, const std::vector<Stage>& stages,
                                  const EngineModelOptions& chosen) {
  const Precision precision = chosen_precision(chosen.precision);
  const std::filesystem::path folder =
      options.model.folder.empty() ? demo_model_folder() : std::filesystem::path(options.model.folder);
  const ModelConfig config =
      options.shape.empty() ? read_model_config(folder) : *config_of_shape(options.shape);
  const std::string what = (options.shape.empty() ? folder.string() : "random weights of " + options.shape) +
                           " in " + std::string(name_of(precision));
  require_memory(what,
                 memory_needed(config, longest_of(stages, config), bytes_per_weight(name_of(precision))),
                 available_memory());
  log_info("bench: loading " + what);
  if (options.shape.empty())
    return std::make_unique<PaliGemma>(folder, chosen.sliding_window, precision, chosen.weights);
  return std::make_unique<PaliGemma>(config, RandomCheckpoint(), options.shape, chosen.sliding_window,
                                     precision);
}

// Called before the measured model is loaded, so that one model at a time is in memory.
Matrix logits_in(const std::string& precision, const BenchOptions& options,
                 const std::vector<Stage>& stages) {
  EngineModelOptions chosen = options_of(options.model);
  read_precision(precision, chosen.precision);
  return agreement_logits(*loaded(options, stages, chosen));
}

// Opens the file at once, so that a mistake in its name is an error before minutes of work.
void open_picture(std::optional<WholeFile>& picture, const std::string& file) {
  if (file.empty()) return;
  try {
    picture.emplace(file);
  } catch (const Error& error) {
    throw UsageError(std::string(error.what()) + "; name another file with --picture");
  }
}

int bench(const BenchOptions& options) {
  check(options);
  const std::vector<Stage> stages = stages_of(options);
  const int repeats = options.quick ? std::min(options.repeat, 2) : options.repeat;
  std::optional<WholeFile> picture;
  open_picture(picture, options.picture);
  BenchReport report{.random_weights = !options.shape.empty()};
  const Matrix expected = options.versus.empty() ? Matrix() : logits_in(options.versus, options, stages);
  const auto begun = std::chrono::steady_clock::now();
  const std::unique_ptr<PaliGemma> model = loaded(options, stages, options_of(options.model));
  report.load_seconds = seconds_since(begun);
  report.loaded_memory = resident_memory();
  report.model = model->identity().id;
  report.precision = model->identity().precision;
  report.calibration = model->identity().calibration;
  report.parameters = model->config().parameter_count();
  if (!options.versus.empty())
    report.agreement = agreement_of(options.versus, expected, agreement_logits(*model));
  const auto limits_now = [&] {
    log_info("bench: this machine's limits");
    const MachineLimits limits = measured_limits(options.quick ? 3 : 5);
    report.limits.add(limits);
    return limits;
  };
  MachineLimits before = limits_now();
  for (const Stage& stage : stages) {
    StageResult result =
        run_stage(*model, stage, repeats, [](const std::string& step) { log_info("bench: " + step); });
    if (result.skipped.empty()) {
      const MachineLimits after = limits_now();
      result.limits = std::exchange(before, after);
      result.limits.add(after);
    }
    report.stages.push_back(std::move(result));
  }
  if (picture) {
    picture->write(roofline_of(report));
    picture->commit();
  }
  if (options.json) {
    print_line(json_of(report).dump(-1, ' ', false, Json::error_handler_t::replace));
  } else {
    std::string table = table_of(report);
    table.pop_back();
    print_line(table);
  }
  return kDone;
}

}  // namespace

void add_bench(CLI::App& app, Run& run) {
  CLI::App* const command =
      app.add_subcommand("bench", "How fast a model is here, and how near to this machine's limits");
  const auto options = std::make_shared<BenchOptions>();
  add_model_flags(*command, options->model);
  command->add_option("--shape", options->shape, "Shape of random weights, instead of --model")
      ->check(CLI::IsMember(shape_names()));
  command
      ->add_option(
          "--stages", options->stages,
          "Stages separated by commas: encode, prefill, decode, or one such as encode-16, prefill-4112, "
          "decode-8; default: all")
      ->delimiter(',');
  command->add_option("--repeat", options->repeat, "Repetitions of each stage; default: 5")
      ->check(CLI::Range(1, 1000));
  command->add_flag("--quick", options->quick, "Two repetitions, without encode-16 and prefill-4112");
  command->add_flag("--json", options->json, "Print one JSON line");
  command->add_option("--picture", options->picture, "File for a picture of the roofline, SVG")
      ->type_name("FILE");
  command
      ->add_option("--vs", options->versus,
                   "Compare the logits of 64 tokens after a picture of noise with those in this precision")
      ->check(CLI::IsMember({"f32", "bf16", "int8"}));
  command->footer(
      "\nTimes are medians; encode and prefill are repeated for a minute at most. A decoding step includes "
      "the "
      "choice of each sequence's most probable token.\n"
      "Share is the time that the limits measured before and after a stage would allow, over the time it "
      "took. "
      "The limit is the memory's for the bytes that must be read, or the matmul's for the operations. A "
      "model that "
      "fits the caches can be beyond the memory's limit.\n"
      "Matmuls is the same share of the linear layers' matmuls alone, without attention and what stands "
      "between "
      "them.\n"
      "\nExamples:\n"
      "  palisade bench --model paligemma-3b-mix-224 --picture roofline.svg\n"
      "  palisade bench --shape paligemma-3b-224 --stages prefill-272,decode --json\n"
      "  palisade bench --precision int8 --vs f32");
  command->callback([&run, options] { run = [options] { return bench(*options); }; });
}

}  // namespace palisade
