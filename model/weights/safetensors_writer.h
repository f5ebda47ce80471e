#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/whole_file.h"
#include "model/weights/safetensors.h"

namespace palisade {

// A tensor to be stored, which need not be there yet.
struct NamedShape {
  std::string name;
  std::vector<std::int64_t> shape;
};

// Writes a .safetensors file of F32 tensors, or rounded to BF16, one after the other, whole or not at all
// (see WholeFile).
class SafetensorsWriter {
 public:
  SafetensorsWriter(const std::filesystem::path& path, std::span<const NamedShape> tensors,
                    const std::map<std::string, std::string>& metadata, DataType type = DataType::kF32);
  // The next elements, row-major: of a tensor, or of a part of it.
  void write(std::span<const float> values);
  // Once all are written.
  void commit();

 private:
  WholeFile file_;
  bool halves_;
  std::uint64_t left_ = 0;  // elements to be written
};

// f32 elements to be stored, row-major.
struct NamedFloats {
  std::string name;
  std::vector<std::int64_t> shape;
  std::span<const float> values;
};

// The same of tensors that are all there.
void write_safetensors(const std::filesystem::path& path, std::span<const NamedFloats> tensors,
                       const std::map<std::string, std::string>& metadata, DataType type = DataType::kF32);

}  // namespace palisade
