#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/read_file.h"

namespace palisade {

enum class DataType { kF32, kF16, kBf16, kI64, kU8 };

// Where one tensor stands in its file, little-endian, row-major; it is read when it is asked for. All of
// these throw Error naming the file and the offset that cannot be read. Any thread.
struct TensorView {
  DataType type = DataType::kF32;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;  // in the file
  std::uint64_t byte_count = 0;
  std::shared_ptr<const ReadFile> file;

  std::int64_t element_count() const;
  // From one of its bytes on.
  void read(std::uint64_t first, std::span<std::byte> out) const;
  std::vector<std::byte> bytes() const;
  // The elements as f32, whatever float type is stored. Throws Error for whole-number types.
  std::vector<float> to_floats() const;
  // The first of them.
  void copy_to(std::span<float> floats) const;
  std::vector<std::int64_t> to_integers() const;
  std::string shape_text() const;  // "[16, 64]"
};

std::size_t size_of(DataType type);
// Stored elements as f32. Throws Error for whole-number types.
void to_floats(DataType type, std::span<const std::byte> stored, std::span<float> floats);

// An open .safetensors file whose header has been checked whole: lengths, types, shapes, offsets without
// overlap or hole. Throws Error naming file and tensor.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::filesystem::path& path);

  const std::map<std::string, TensorView>& tensors() const { return tensors_; }
  const TensorView& at(const std::string& name) const;
  // "__metadata__", text alone.
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  const std::filesystem::path& path() const { return file_->path(); }
  const std::shared_ptr<const ReadFile>& file() const { return file_; }

 private:
  std::shared_ptr<const ReadFile> file_;
  std::map<std::string, TensorView> tensors_;
  std::map<std::string, std::string> metadata_;
};

}  // namespace palisade
