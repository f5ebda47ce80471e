#include "model/weights/weight_files.h"

namespace palisade {

std::vector<std::filesystem::path> paths_of(const WeightFiles& files) {
  std::vector<std::filesystem::path> paths;
  for (const auto& file : files) paths.push_back(file->path());
  return paths;
}

}  // namespace palisade
