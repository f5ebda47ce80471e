#include "model/join/part_checkpoint.h"

namespace palisade {

std::vector<std::int64_t> PartCheckpoint::stored_shape(const std::string& stored_name) const {
  for (const std::filesystem::path& path : paths_of(files())) {
    const SafetensorsFile file(path);
    const auto found = file.tensors().find(stored_name);
    if (found != file.tensors().end()) return found->second.shape;
  }
  return {};
}

}  // namespace palisade
