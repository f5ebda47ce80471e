#pragma once

#include <cstddef>
#include <vector>

#include "service/settings/settings.h"

namespace palisade {

// Groups a stream's tasks, given by their indices: tasks of one group are asked about the same clips, because
// they agree on sampling, `against`, `when`, pruning, adapter and how they are decoded. In the order of the
// settings.
std::vector<std::vector<std::size_t>> groups_of(const std::vector<TaskSettings>& tasks);

}  // namespace palisade
