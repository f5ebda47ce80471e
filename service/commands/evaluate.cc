// `palisade evaluate`: how good answers are, by the metrics that papers publish.
#include <CLI/CLI.hpp>
#include <memory>

#include "service/commands/command.h"
#include "service/evaluation/prediction_scores.h"
#include "tasks/metrics/metric.h"

namespace palisade {

void add_evaluate(CLI::App& app, Run& run) {
  CLI::App* const command =
      app.add_subcommand("evaluate", "Score the answers of a model as the published figures are computed");
  const auto options = std::make_shared<PredictionOptions>();
  std::vector<std::string> names;
  for (const Metric& metric : all_metrics()) names.emplace_back(metric.name);
  command
      ->add_option("--predictions", options->predictions,
                   "What another program predicted, a line each: {\"id\": ..., \"prediction\": ...}")
      ->type_name("FILE.jsonl")
      ->required();
  command
      ->add_option("--data", options->data, "Examples with their \"id\" and their \"answer\" or \"answers\"")
      ->type_name("FILE.jsonl")
      ->required();
  command->add_option("--metric", options->metric, "How answers are scored")
      ->check(CLI::IsMember(names))
      ->required();
  command->add_flag("--lower", options->lower, "Compare in lower case, as some transfers do");
  command
      ->add_option("--mask-decoder", options->mask_decoder,
                   "Weights that decode masks, PaliGemma's vae-oid.npz; for `--metric segmentation`")
      ->envname("PALISADE_MASK_DECODER")
      ->type_name("FILE");
  command->add_flag("--json", options->json,
                    "A line an example with its scores, at last one with all figures");
  command->callback([&run, options] { run = [options] { return score_predictions(*options); }; });
  command->footer(
      "\ndocs/evaluate.md tells what each metric compares and which names its lines need.\n"
      "\nExamples:\n"
      "  palisade evaluate --predictions answers.jsonl --data validation.jsonl --metric vqav2\n"
      "  palisade evaluate --predictions answers.jsonl --data docvqa.jsonl --metric anls --lower --json");
}

}  // namespace palisade
