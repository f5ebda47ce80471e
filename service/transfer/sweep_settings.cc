#include "service/transfer/sweep_settings.h"

#include <algorithm>
#include <array>
#include <sstream>

#include "base/json.h"
#include "service/settings/settings_reader.h"
#include "service/settings/settings_tree.h"
#include "service/transfer/mixture.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 8> kImportance = {"resolution",      "epochs",      "learning_rate",
                                                         "label_smoothing", "llm_dropout", "weight_decay",
                                                         "freeze_vit",      "beams"};
constexpr std::array<std::string_view, 7> kOneValue = {"model",   "data",   "mixture", "evaluation",
                                                       "filters", "metric", "lower"};
constexpr std::size_t kMaxRuns = 1000;

std::size_t rank_of(const std::string& key) {
  return std::size_t(std::ranges::find(kImportance, key) - kImportance.begin());
}

// Takes the lists out of a recipe as axes, after each of their values has been read as a recipe's.
void take_axis(const YamlNode::Entry& entry, SweepSettings& sweep, std::vector<Problem>& problems) {
  if (std::ranges::find(kOneValue, entry.key) != kOneValue.end()) {
    problems.push_back({entry.value.place, entry.key + " is one for all runs, not a list"});
    return;
  }
  if (entry.value.items.empty())
    problems.push_back({entry.value.place, entry.key + " is an empty list; give the values to try"});
  SweepAxis axis{.key = entry.key, .values = {}};
  for (const YamlNode& item : entry.value.items) {
    YamlNode one{.kind = YamlNode::Kind::kMap, .place = entry.place};
    one.entries.push_back({entry.key, entry.place, item});
    TransferSettings scratch;
    read_recipe(one, {}, scratch, problems);
    axis.values.push_back(item.text);
  }
  sweep.axes.push_back(std::move(axis));
}

bool mixture_evaluates(const fs::path& mixture) {
  if (mixture.empty()) return false;
  const auto parts = read_mixture(read_text_file(mixture, 1u << 20), mixture);
  return std::ranges::any_of(parts, [](const MixturePart& part) { return !part.evaluation.empty(); });
}

}  // namespace

void read_sweep(std::string_view text, const fs::path& file, SweepSettings& sweep) {
  std::vector<Problem> problems;
  YamlNode root = read_yaml(text, problems);
  const auto given = [&](const SweepAxis& axis) {
    return std::ranges::find(root.entries, axis.key, &YamlNode::Entry::key) != root.entries.end();
  };
  if (problems.empty()) {
    std::erase_if(sweep.axes, given);
    for (const YamlNode::Entry& entry : root.entries) {
      if (entry.value.kind == YamlNode::Kind::kList) take_axis(entry, sweep, problems);
    }
    SettingsReader(root, "a recipe", problems).read("in_order", sweep.in_order);
    std::erase_if(root.entries, [](const YamlNode::Entry& entry) {
      return entry.value.kind == YamlNode::Kind::kList || entry.key == "in_order";
    });
    if (root.kind == YamlNode::Kind::kMap) read_recipe(root, file.parent_path(), sweep.recipe, problems);
    std::ranges::stable_sort(sweep.axes, {}, [](const SweepAxis& axis) { return rank_of(axis.key); });
  }
  if (!problems.empty()) throw SettingsError(problem_lines(std::move(problems), file.string()));
}

std::string sweep_text(const SweepSettings& sweep) {
  std::istringstream recipe(recipe_text(sweep.recipe));
  std::string text;
  for (std::string line; std::getline(recipe, line);) {
    const std::string key = line.substr(0, line.find(':'));
    if (std::ranges::find(sweep.axes, key, &SweepAxis::key) == sweep.axes.end()) text += line + "\n";
  }
  for (const SweepAxis& axis : sweep.axes) {
    text += axis.key + ": [";
    for (const std::string& value : axis.values) text += (&value == &axis.values[0] ? "" : ", ") + value;
    text += "]\n";
  }
  return text + "in_order: " + (sweep.in_order ? "true" : "false") + "\n";
}

void check(const SweepSettings& sweep) {
  if (sweep.recipe.evaluation.empty() && !mixture_evaluates(sweep.recipe.mixture))
    throw SettingsError({"evaluation: name the JSONL file of examples that runs are judged by"});
  check(sweep.recipe);
  if (std::ranges::find(sweep.axes, "epochs", &SweepAxis::key) != sweep.axes.end() &&
      sweep.recipe.examples > 0)
    throw SettingsError({"epochs: examples takes their place; remove one of them"});
  std::size_t runs = 1;
  for (const SweepAxis& axis : sweep.axes)
    runs = sweep.in_order ? runs + axis.values.size() : std::min(runs * axis.values.size(), kMaxRuns + 1);
  if (runs > kMaxRuns) throw SettingsError({"more than 1000 runs; try fewer values, or in_order"});
  if (!sweep.in_order) {
    for (const TransferSettings& settings : grid_of(sweep)) check(settings);
  }
}

std::vector<SweepAxis> published_axes(const TransferSettings& current, int own_resolution) {
  const auto times = [&](int factor) { return std::to_string(factor * own_resolution); };
  std::vector<SweepAxis> axes = {{"resolution", {times(1), times(2), times(4)}}};
  if (current.examples == 0) axes.push_back({"epochs", {"1", "3", "10", "30", "100"}});
  axes.push_back({"learning_rate", {"3e-5", "1e-5", "3e-6"}});
  axes.push_back({"label_smoothing", {"0", "0.1", "0.3"}});
  axes.push_back({"llm_dropout", {"0", "0.1", "0.3"}});
  TransferSettings decayed = current;
  decayed.weight_decay = current.learning_rate / 10;
  axes.push_back({"weight_decay", {"0", value_of(decayed, "weight_decay")}});
  if (current.parts == TrainedParts::kAll && current.image_warmup == 0)
    axes.push_back({"freeze_vit", {"false", "true"}});
  axes.push_back({"beams", {"1", "2", "3"}});
  return axes;
}

std::vector<TransferSettings> grid_of(const SweepSettings& sweep) {
  std::vector<TransferSettings> grid = {sweep.recipe};
  for (const SweepAxis& axis : sweep.axes) {
    std::vector<TransferSettings> finer;
    for (const TransferSettings& settings : grid) {
      for (const std::string& value : axis.values) finer.push_back(with_value(settings, axis.key, value));
    }
    grid = std::move(finer);
  }
  return grid;
}

TransferSettings with_value(const TransferSettings& settings, const std::string& key,
                            const std::string& value) {
  TransferSettings changed = settings;
  read_recipe(key + ": " + value + "\n", "sweep", changed);
  return changed;
}

std::string value_of(const TransferSettings& settings, const std::string& key) {
  std::istringstream recipe(recipe_text(settings));
  for (std::string line; std::getline(recipe, line);) {
    if (line.starts_with(key + ": ")) return line.substr(key.size() + 2);
  }
  return {};
}

}  // namespace palisade
