// `palisade evaluate`: how good answers are, by the metrics that papers publish.
#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/format.h"
#include "base/json.h"
#include "base/log.h"
#include "frames/resize.h"
#include "model/config/model_config.h"
#include "service/commands/command.h"
#include "service/commands/model_choice.h"
#include "service/commands/model_flags.h"
#include "service/evaluation/evaluation.h"
#include "service/evaluation/evaluation_comparison.h"
#include "service/evaluation/prediction_scores.h"
#include "service/evaluation/task_recipe.h"
#include "service/terminal/exit_code.h"
#include "service/terminal/interrupt.h"
#include "service/terminal/output.h"
#include "tasks/metrics/metric.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxRecipe = 1u << 20;

// `palisade evaluate` as it asks a model: what the flags say, empty or nothing where one was not given.
struct EvaluateModelFlags {
  std::string recipe;  // file
  std::string task;
  std::string run, resume;
  ModelFlags model;
  std::string adapter;
  std::optional<int> beams, max_new_tokens, frames, frame_step;
  std::string resize;
  std::string mask_decoder;
  int batch = 16;
  std::vector<std::string> compare;
  std::string to;  // of a comparison
};

// What answers depend on, of a recipe.
void take_recipe(const fs::path& file, int image_size, EvaluationSettings& settings) {
  TransferSettings recipe;
  read_recipe(read_text_file(file, kMaxRecipe), file, recipe);
  if (recipe.resolution > 0 && recipe.resolution != image_size)
    throw UsageError(
        format("{}: is for pictures of {} pixels, the model takes {}; give the model or the recipe of "
               "the other size",
               file.string(), recipe.resolution, image_size));
  settings.resize = recipe.resize;
  settings.frames = recipe.frames;
  settings.frame_step = recipe.frame_step;
  settings.beams = recipe.beams;
  settings.max_new_tokens = recipe.text_length;
}

void take_flags(const EvaluateModelFlags& flags, const PredictionOptions& shared,
                EvaluationSettings& settings) {
  if (flags.beams) settings.beams = *flags.beams;
  if (flags.max_new_tokens) settings.max_new_tokens = *flags.max_new_tokens;
  if (flags.frames) settings.frames = *flags.frames;
  if (flags.frame_step) settings.frame_step = *flags.frame_step;
  if (!flags.resize.empty()) settings.resize = flags.resize;
  if (!settings.resize.empty() && !resize_preset_of(settings.resize))
    throw UsageError(
        "--resize: '" + settings.resize +
        "' is no preset; hf-bicubic, hf-bilinear, bv-bilinear, bv-bilinear-aa or bv-video-float");
  if (!shared.metric.empty()) settings.metric = shared.metric;
  settings.lower = settings.lower || shared.lower;
  settings.mask_decoder = flags.mask_decoder;
}

EvaluationSettings settings_of(const EvaluateModelFlags& flags, const PredictionOptions& shared) {
  if (shared.data.empty())
    throw UsageError("name the examples: --data FILE.jsonl, as for `palisade transfer`");
  if (!flags.recipe.empty() && !flags.task.empty())
    throw UsageError("--task names a recipe; leave it or the recipe's file out");
  EvaluationSettings settings{
      .data = shared.data,
      .model = flags.model.folder.empty() ? demo_model_folder() : fs::path(flags.model.folder),
      .adapter = flags.adapter,
      .precision = flags.model.precision,
      .sliding_window = flags.model.sliding_window,
      .calibration = flags.model.calibration};
  const int image_size =
      flags.recipe.empty() && flags.task.empty() ? 0 : read_model_config(settings.model).vision.image_size;
  fs::path recipe = flags.recipe;
  if (!flags.task.empty()) recipe = recipes_folder() / (recipe_of_task(flags.task, image_size) + ".yaml");
  if (!recipe.empty()) {
    take_recipe(recipe, image_size, settings);
    if (const auto published = published_transfer(recipe.stem().string())) {
      settings.task = recipe.stem().string();
      settings.metric = published->metric;
      settings.lower = published->lower;
    }
  }
  take_flags(flags, shared, settings);
  return settings;
}

// A resumed evaluation goes on as it was begun.
void require_nothing_else(const EvaluateModelFlags& flags, const PredictionOptions& shared) {
  const bool others = !shared.data.empty() || !shared.metric.empty() || shared.lower ||
                      !flags.recipe.empty() || !flags.task.empty() || !flags.run.empty() ||
                      !flags.model.folder.empty() || !flags.adapter.empty() ||
                      !flags.model.precision.empty() || flags.beams || flags.max_new_tokens || flags.frames ||
                      flags.frame_step || !flags.resize.empty();
  if (others)
    throw UsageError("--resume goes on as the evaluation was begun; only --batch may be given with it");
}

EngineModelOptions options_of(const EvaluationSettings& settings, const EvaluateModelFlags& flags) {
  ModelFlags model = flags.model;
  model.precision = settings.precision;
  model.sliding_window = settings.sliding_window;
  model.calibration = settings.calibration;
  EngineModelOptions options = options_of(model);
  if (!settings.resize.empty()) options.resize = resize_preset_of(settings.resize);
  return options;
}

void tell(const EvaluationFolder& folder, const EvaluationReport& report) {
  for (const auto* const parts : {&report.scores.metrics, &report.scores.groups}) {
    for (const EvaluatedPart& part : *parts) {
      std::string line = format("{:<10} {} of {} examples", part.main ? figure_text(*part.main) : "undefined",
                                part.metric->main_figure, part.examples);
      if (part.interval) line += format(", 95 % {:.4f} to {:.4f}", part.interval->low, part.interval->high);
      if (part.constant) line += format(", constant answer {:.4f}", *part.constant);
      print_line(line + (part.group.empty() ? "" : "  " + escaped(part.group)));
    }
  }
  if (report.published) print_line("published  " + report.published->published);
  if (report.scores.failed > 0)
    log_warning(format("{} of {} examples could not be asked and count as empty answers",
                       report.scores.failed, report.scores.examples.size()));
  print_line(folder.report("html").string());
}

int run(const EvaluateModelFlags& flags, const PredictionOptions& shared) {
  const bool resumed = !flags.resume.empty();
  if (resumed) {
    require_nothing_else(flags, shared);
  } else if (flags.run.empty()) {
    throw UsageError("give --run FOLDER for predictions and report, or --resume FOLDER to go on with one");
  }
  const EvaluationFolder folder(resumed ? flags.resume : flags.run);
  folder.require_fit(resumed);
  const Interrupt interrupt;
  Evaluation evaluation = resumed ? Evaluation(folder) : Evaluation(folder, settings_of(flags, shared));
  const EvaluationSettings& settings = evaluation.settings();
  const auto model = load_chosen_model(settings.model, options_of(settings, flags));
  const SharedAdapter adapter = load_adapter(*model, settings.adapter.string());
  const auto report = evaluation.run(*model, adapter, flags.batch, interrupt.token());
  if (!report) {
    log_info("evaluate: stopped; go on with --resume " + folder.path().string());
    return kFailed;
  }
  if (shared.json) {
    print_line(json_line(report_json(*report)));
  } else {
    tell(folder, *report);
  }
  return kDone;
}

int evaluate_model(const EvaluateModelFlags& flags, const PredictionOptions& shared) {
  if (flags.compare.empty()) return run(flags, shared);
  const EvaluationComparison comparison =
      compare_evaluations(EvaluationFolder(flags.compare.at(0)), EvaluationFolder(flags.compare.at(1)));
  if (!flags.to.empty()) write_comparison(flags.to, comparison);
  if (shared.json) {
    print_line(json_line(comparison_json(comparison)));
  } else {
    for (const std::string& line : comparison_lines(comparison)) print_line(line);
  }
  return kDone;
}

void add_evaluate_model_flags(CLI::App& command, EvaluateModelFlags& flags) {
  command
      .add_option("RECIPE", flags.recipe,
                  "Recipe whose resize, frames, beams and length are used, such as "
                  "configs/recipes/nlvr2_224.yaml")
      ->type_name("FILE");
  command
      .add_option("--task", flags.task,
                  "The same by its name, such as nlvr2 or vqav2_448; also says which metric is published")
      ->type_name("NAME");
  command.add_option("--run", flags.run, "New folder for predictions and report")
      ->envname("PALISADE_RUN")
      ->type_name("DIR");
  command.add_option("--resume", flags.resume, "Folder of an evaluation to go on with")
      ->envname("PALISADE_RESUME")
      ->type_name("DIR");
  add_model_flags(command, flags.model);
  add_adapter_flag(command, flags.adapter);
  command
      .add_option("--batch", flags.batch,
                  "Answers that are stepped together; scores in f32 are the same in any")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command.add_option("--beams", flags.beams, "Beams of big_vision's search; default: the recipe's, or 1")
      ->check(CLI::Range(1, 16));
  command
      .add_option("--max-new-tokens", flags.max_new_tokens,
                  "Longest answer; default: the recipe's, or as in ask")
      ->check(CLI::Range(1, 512));
  command.add_option("--frames", flags.frames, "Frames of a film; default: the recipe's, or 16")
      ->check(CLI::Range(1, 16));
  command
      .add_option("--frame-step", flags.frame_step,
                  "From one frame that is taken to the next; default: the recipe's, or 1")
      ->check(CLI::Range(1, 10'000));
  command.add_option("--resize", flags.resize, "Resize preset; default: the recipe's, or the model's own")
      ->type_name("PRESET");
  command
      .add_option("--mask-decoder", flags.mask_decoder, "Weights that decode masks: PaliGemma's vae-oid.npz")
      ->envname("PALISADE_MASK_DECODER")
      ->type_name("FILE");
  command.add_option("--compare", flags.compare, "Folders of two evaluations of the same examples")
      ->expected(2)
      ->type_name("DIR DIR");
  command.add_option("--to", flags.to, "New folder for the report of a comparison")->type_name("DIR");
}

}  // namespace

void add_evaluate(CLI::App& app, Run& run) {
  CLI::App* const command =
      app.add_subcommand("evaluate", "Score the answers of a model as the published figures are computed");
  const auto options = std::make_shared<PredictionOptions>();
  const auto model = std::make_shared<EvaluateModelFlags>();
  add_evaluate_model_flags(*command, *model);
  std::vector<std::string> names;
  for (const Metric& metric : all_metrics()) names.emplace_back(metric.name);
  command
      ->add_option("--predictions", options->predictions,
                   "What another program predicted, a line each: {\"id\": ..., \"prediction\": ...}")
      ->type_name("FILE.jsonl");
  command
      ->add_option("--data", options->data, "Examples with their \"id\" and their \"answer\" or \"answers\"")
      ->type_name("FILE.jsonl");
  command->add_option("--metric", options->metric, "How answers are scored")->check(CLI::IsMember(names));
  command->add_flag("--lower", options->lower, "Compare in lower case, as some transfers do");
  command->add_flag(
      "--json", options->json,
      "Print the report as one line; of predictions a line an example with its scores, and at last "
      "one with all figures");
  command->callback([&run, options, model] {
    run = [options, model] {
      if (options->predictions.empty()) return evaluate_model(*model, *options);
      options->mask_decoder = model->mask_decoder;
      return score_predictions(*options);
    };
  });
  command->footer(
      "\ndocs/evaluate.md tells what each metric compares and which names its lines need.\n"
      "\nExamples:\n"
      "  palisade evaluate --data validation.jsonl --model runs/gate/model --run scores/gate\n"
      "  palisade evaluate --data nlvr2.jsonl --task nlvr2 --model paligemma-3b-ft-nlvr2-224 --run "
      "scores/nlvr2\n"
      "  palisade evaluate --resume scores/nlvr2\n"
      "  palisade evaluate --compare scores/gate scores/gate2 --to scores/compared\n"
      "  palisade evaluate --predictions answers.jsonl --data validation.jsonl --metric vqav2\n"
      "  palisade evaluate --predictions answers.jsonl --data docvqa.jsonl --metric anls --lower --json");
}

}  // namespace palisade
