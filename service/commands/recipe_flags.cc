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
};
constexpr Key kPaths[] = {{"model", "The model folder to start from; default: the demo model"},
                          {"data", "Examples, JSONL"},
                          {"evaluation", "Examples to evaluate on, JSONL"},
                          {"filters", "What examples of the data are left out, YAML; see palisade filter"}};
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
    {"checkpoint_every", "Steps; default: by time alone"},
    {"checkpoint_minutes",
     "Most between two checkpoints, each as large as the trained weights three times; default: 10"}};
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
      .add_option("RECIPE", flags.recipe,
                  "A recipe such as configs/recipes/nlvr2_224.yaml; a flag wins over what it says")
      ->type_name("FILE");
  for (const Key& key : kPaths)
    command.add_option(flag_of(key), flags.values[key.name], key.about)
        ->envname(variable_of(key))
        ->type_name("PATH");
  for (const Key& key : kValues)
    command.add_option(flag_of(key), flags.values[key.name], key.about)->envname(variable_of(key));
  for (const Key& key : kSwitches)
    command.add_flag(flag_of(key), flags.values[key.name], key.about)->envname(variable_of(key));
}

}  // namespace palisade
