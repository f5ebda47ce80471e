#include "model/adapters/overlaid_checkpoint.h"

#include "model/weights/tensor_names.h"

namespace palisade {

bool OverlaidCheckpoint::has(const std::string& name) const {
  if (replaced_.contains(name) || Checkpoint::has(name)) return true;
  return name == kHeadTensor && replaced_.contains(kEmbeddingTensor);
}

std::string OverlaidCheckpoint::own_name(const std::string& name) const {
  return name == kHeadTensor && !Checkpoint::has(name) ? kEmbeddingTensor : name;
}

// The shapes of replaced ones have been checked (read_adapter).
void OverlaidCheckpoint::require(const std::string& name, std::span<const std::int64_t> shape) const {
  if (!replaced_.contains(name)) Checkpoint::require(own_name(name), shape);
}

void OverlaidCheckpoint::fill(const std::string& name, std::span<const std::int64_t> shape, std::size_t first,
                              std::span<float> target) const {
  const auto replaced = replaced_.find(name);
  if (replaced == replaced_.end()) return Checkpoint::fill(own_name(name), shape, first, target);
  const TensorView& tensor = replaced->second;
  std::vector<std::byte> stored(target.size() * size_of(tensor.type));
  tensor.read(first * size_of(tensor.type), stored);
  to_floats(tensor.type, stored, target);
}

}  // namespace palisade
