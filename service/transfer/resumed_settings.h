#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "service/transfer/transfer_settings.h"

namespace palisade {

// Keys whose values differ in two recipes, or two sweeps, of which each writes a key a line.
std::vector<std::string> differing_keys(std::string_view one, std::string_view other);

// What of a recipe decides on each step and so on the model that comes out, paths left out: these may move.
std::string steps_recipe(const TransferSettings& settings);

// The settings of a run that goes on: as it was begun, but for what may change meanwhile, when checkpoints
// and evaluations are made. Throws UsageError naming every flag of `given` that asks for anything else.
TransferSettings resumed_settings(const TransferSettings& begun, const TransferSettings& given);

// Throws UsageError where any of these keys was given to a run, or a sweep, that goes on.
void refuse_contradictions(const std::vector<std::string>& keys);

// With the paths that are the same written in the same way.
TransferSettings with_canonical_paths(TransferSettings settings);

}  // namespace palisade
