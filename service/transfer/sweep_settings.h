#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "service/transfer/transfer_settings.h"

namespace palisade {

// A key of a recipe and the values to try, as a recipe writes them.
struct SweepAxis {
  std::string key;
  std::vector<std::string> values;
};

// What to try: a recipe in which values may be lists.
struct SweepSettings {
  TransferSettings recipe;      // with what is no list
  std::vector<SweepAxis> axes;  // in decreasing order of importance; empty: the published values, in order
  // One axis after the other, each at the best of those before it; else every combination.
  bool in_order = false;
};

// Reads a recipe with lists over `sweep`; relative paths are the file's folder's. A value over a list takes
// its place. Throws SettingsError.
void read_sweep(std::string_view text, const std::filesystem::path& file, SweepSettings& sweep);
// What read_sweep() reads back as this sweep.
std::string sweep_text(const SweepSettings& sweep);
// What is wrong with a sweep as a whole, or with any combination of a grid. Throws SettingsError.
void check(const SweepSettings& sweep);

// The published values (PaliGemma, arXiv 2407.07726, transfers), most important first, for a transfer that
// stands at `current`; keys that change nothing there are left out. 224, 448 and 896 pixels are once, twice
// and four times the `own_resolution` of a model for 224.
std::vector<SweepAxis> published_axes(const TransferSettings& current, int own_resolution);

// Every combination of a grid, the last axis changing first.
std::vector<TransferSettings> grid_of(const SweepSettings& sweep);

TransferSettings with_value(const TransferSettings& settings, const std::string& key,
                            const std::string& value);
// As a recipe writes it.
std::string value_of(const TransferSettings& settings, const std::string& key);

}  // namespace palisade
