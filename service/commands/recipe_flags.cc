#include "service/commands/recipe_flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>

#include "base/json.h"

namespace palisade {
namespace {

struct Key {
  const char* name;
  const char* about;
  const char* unit = "FILE";
};
constexpr Key kPaths[] = {{"model", "Model folder to start from; default: the demo model", "DIR"},
                          {"data", "Examples to train on, JSONL"},
                          {"mixture", "Several files of examples with weights, YAML, in place of --data"},
                          {"evaluation", "Examples to evaluate on, JSONL"},
                          {"filters", "Rules for examples to leave out, YAML (see palisade filter)"}};
// The first ones in decreasing order of importance, as the paper gives it.
constexpr Key kValues[] = {
    {"resolution", "Side of a picture; default: the model's own", "PIXELS"},
    {"epochs", "Times that each example is seen; default: 1", "N"},
    {"learning_rate", "Peak learning rate; default: 1e-5", "RATE"},
    {"label_smoothing", "Probability spread over the other tokens; default: 0", "SHARE"},
    {"llm_dropout", "Dropout in the language model; default: 0", "SHARE"},
    {"weight_decay", "Weight decay, usually 0 or a tenth of the learning rate; default: 0", "RATE"},
    {"beams", "Beams of the evaluation at the end; default: 1", "N"},
    {"examples", "Examples seen in all, instead of --epochs", "N"},
    {"batch_size", "Examples of a step; default: 64", "N"},
    {"examples_at_once", "Examples of a pass; the gradients of a step's passes add up; default: 8", "N"},
    {"text_length", "Longest prefix and suffix together; default: 64", "TOKENS"},
    {"warmup", "Warm-up as a share of all steps; default: 0.05", "SHARE"},
    {"image_warmup", "Warm-up of the image encoder, where it is longer; default: --warmup", "SHARE"},
    {"schedule", "Course of the learning rate: to 0, or on without an end; default: cosine", "cosine|rsqrt"},
    {"timescale", "Steps after which rsqrt falls; default: 10000", "STEPS"},
    {"schedule_shift", "Steps that stages before have done, of rsqrt; default: 0", "STEPS"},
    {"parts", "Parts to train; default: all", "all|language|projection"},
    {"lora_rank", "Rank of adapters that are trained instead of the towers' weights; default: 0, none", "N"},
    {"lora_output",
     "What is written of them: adapter, for --adapter, model, which has them in its weights, or both; "
     "default: both",
     "both|adapter|model"},
    {"resize", "Resize preset; default: the model's own", "PRESET"},
    {"frames", "Frames of a video; default: 16", "N"},
    {"frame_step", "Frames from one that is taken of a video to the next; default: 1", "N"},
    {"picture_memory_mb",
     "Memory for pictures and frames that are kept resized from epoch to epoch; default: 1024", "MB"},
    {"seed", "Seed of order and dropout; default: 0", "N"},
    {"evaluate_every", "Steps between evaluations; default: one at the end", "STEPS"},
    {"metric",
     "Metric of the evaluation, as of palisade evaluate; the best evaluation's weights become the model; "
     "default: none",
     "NAME"},
    {"patience", "Evaluations no better than the best after which training ends; default: 0, never", "N"},
    {"checkpoint_every", "Steps between checkpoints; default: by time alone", "STEPS"},
    {"checkpoint_minutes",
     "Longest time between checkpoints, each as large as three times the trained weights; default: 10",
     "MINUTES"}};
constexpr Key kSwitches[] = {{"freeze_vit", "Do not train the image encoder"},
                             {"lower", "The metric compares in lower case"},
                             {"allow_empty_suffix", "Take examples whose answer is empty"}};

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

}  // namespace

std::string RecipeFlags::text(bool lists) const {
  std::string text;
  for (const auto& [key, value] : values) {
    if (value.empty()) continue;
    const bool path = std::ranges::any_of(kPaths, [&](const Key& known) { return key == known.name; });
    const bool list = lists && value.find(',') != std::string::npos;
    text += key + ": " + (path ? Json(value).dump() : list ? "[" + value + "]" : value) + "\n";
  }
  return text;
}

void add_recipe_flags(CLI::App& command, RecipeFlags& flags) {
  command
      .add_option("RECIPE", flags.recipe, "Recipe, such as configs/recipes/nlvr2_224.yaml; flags win over it")
      ->type_name("FILE");
  for (const Key& key : kPaths)
    command.add_option(flag_of(key), flags.values[key.name], key.about)
        ->envname(variable_of(key))
        ->type_name(key.unit);
  for (const Key& key : kValues)
    command.add_option(flag_of(key), flags.values[key.name], key.about)
        ->envname(variable_of(key))
        ->type_name(key.unit);
  for (const Key& key : kSwitches)
    command.add_flag(flag_of(key), flags.values[key.name], key.about)->envname(variable_of(key));
}

}  // namespace palisade
