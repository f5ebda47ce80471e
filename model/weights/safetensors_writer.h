#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "model/weights/safetensors.h"

namespace palisade {

// f32 elements to be stored, row-major.
struct NamedFloats {
  std::string name;
  std::vector<std::int64_t> shape;
  std::span<const float> values;
};

// Writes a .safetensors file of F32 tensors, or rounded to BF16, in this order, whole or not at all (see
// WholeFile).
void write_safetensors(const std::filesystem::path& path, std::span<const NamedFloats> tensors,
                       const std::map<std::string, std::string>& metadata, DataType type = DataType::kF32);

}  // namespace palisade
