#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "base/read_file.h"

namespace palisade {

// A model's weights in the files that were opened, whatever stands under their names by now.
using WeightFiles = std::vector<std::shared_ptr<const ReadFile>>;
std::vector<std::filesystem::path> paths_of(const WeightFiles& files);

}  // namespace palisade
