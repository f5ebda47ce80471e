#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/weights/checkpoint.h"

namespace palisade {

// The weights of a part in its own layout, whose shapes can be asked for before they are read.
class PartCheckpoint : public Checkpoint {
 public:
  using Checkpoint::Checkpoint;
  using Checkpoint::require;
  // As a file has it, by the name that it has there; empty where there is no such tensor.
  std::vector<std::int64_t> stored_shape(const std::string& stored_name) const;
};

}  // namespace palisade
