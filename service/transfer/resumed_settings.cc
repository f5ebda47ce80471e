#include "service/transfer/resumed_settings.h"

#include <algorithm>
#include <array>
#include <map>
#include <sstream>

#include "base/error.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 4> kMayChange = {"evaluate_every", "checkpoint_every",
                                                        "checkpoint_minutes", "picture_memory_mb"};
constexpr std::array<std::string_view, 10> kNoStep = {"model",   "data",    "mixture",     "evaluation",
                                                      "filters", "beams",   "lora_output", "metric",
                                                      "lower",   "patience"};

std::map<std::string, std::string> entries_of(std::string_view recipe) {
  std::map<std::string, std::string> entries;
  std::istringstream lines{std::string(recipe)};
  for (std::string line; std::getline(lines, line);) {
    const std::size_t colon = line.find(": ");
    if (colon != std::string::npos) entries[line.substr(0, colon)] = line.substr(colon + 2);
  }
  return entries;
}

bool may_change(const std::string& key) {
  return std::ranges::find(kMayChange, key) != kMayChange.end();
}

std::string flag_for(std::string key) {
  std::ranges::replace(key, '_', '-');
  return "--" + key;
}

}  // namespace

std::vector<std::string> differing_keys(std::string_view one, std::string_view other) {
  const auto first = entries_of(one), second = entries_of(other);
  std::vector<std::string> keys;
  for (const auto& [key, value] : first) {
    const auto same = second.find(key);
    if (same == second.end() || same->second != value) keys.push_back(key);
  }
  for (const auto& [key, value] : second) {
    if (!first.contains(key)) keys.push_back(key);
  }
  return keys;
}

std::string steps_recipe(const TransferSettings& settings) {
  std::string text;
  for (const auto& [key, value] : entries_of(recipe_text(settings))) {
    if (!may_change(key) && std::ranges::find(kNoStep, key) == kNoStep.end())
      text += key + ": " + value + "\n";
  }
  return text;
}

TransferSettings with_canonical_paths(TransferSettings settings) {
  for (fs::path* const path :
       {&settings.model, &settings.data, &settings.mixture, &settings.evaluation, &settings.filters}) {
    if (path->empty()) continue;
    std::error_code error;
    const fs::path canonical = fs::weakly_canonical(fs::absolute(*path), error);
    if (!error) *path = canonical;
  }
  return settings;
}

TransferSettings resumed_settings(const TransferSettings& begun, const TransferSettings& given) {
  std::vector<std::string> keys =
      differing_keys(recipe_text(with_canonical_paths(begun)), recipe_text(with_canonical_paths(given)));
  std::erase_if(keys, may_change);
  refuse_contradictions(keys);
  TransferSettings settings = begun;
  settings.evaluate_every = given.evaluate_every;
  settings.checkpoint_every = given.checkpoint_every;
  settings.checkpoint_minutes = given.checkpoint_minutes;
  settings.picture_memory_mb = given.picture_memory_mb;
  return settings;
}

void refuse_contradictions(const std::vector<std::string>& keys) {
  if (keys.empty()) return;
  std::string flags;
  for (const std::string& key : keys) flags += (flags.empty() ? "" : ", ") + flag_for(key);
  throw UsageError(flags +
                   ": not what the run was begun with, which it keeps with --resume; leave it out (in the "
                   "recipe and the environment too), or begin another run with --run");
}

}  // namespace palisade
