#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "service/transfer/transfer_settings.h"

namespace palisade {

// Keys whose values differ in two recipes or sweeps, each written a key a line.
std::vector<std::string> differing_keys(std::string_view one, std::string_view other);

// The part of a recipe that determines every step, and so the model. Paths are left out: they may change.
std::string steps_recipe(const TransferSettings& settings);

// The settings of a resumed run: as it was begun, except when checkpoints and evaluations are made and how
// much memory keeps pictures. Throws UsageError naming every flag of `given` that asks for anything else.
TransferSettings resumed_settings(const TransferSettings& begun, const TransferSettings& given);

// Throws UsageError where any of these keys contradicts a resumed run or sweep.
void refuse_contradictions(const std::vector<std::string>& keys);

// Makes all paths canonical, so that equal ones compare equal.
TransferSettings with_canonical_paths(TransferSettings settings);

}  // namespace palisade
