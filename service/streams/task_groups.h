#pragma once

#include <cstddef>
#include <vector>

#include "service/settings/settings.h"

namespace palisade {

// Indices of a stream's tasks, those together that are asked about the same clips: same sampling, same other
// picture, same occasion, same pruning. In the order of the settings.
std::vector<std::vector<std::size_t>> groups_of(const std::vector<TaskSettings>& tasks);

}  // namespace palisade
