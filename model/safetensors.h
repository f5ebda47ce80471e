#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace palisade {

enum class DataType { kF32, kF16, kBf16, kI64, kU8 };

// One tensor of a mapped file, little-endian, row-major. `bytes` live as long as the SafetensorsFile.
struct TensorView {
  DataType type = DataType::kF32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;

  std::int64_t element_count() const;
  // The elements as f32, whatever float type is stored. Throws ModelError for whole-number types.
  std::vector<float> to_floats() const;
  // The first of them.
  void copy_to(std::span<float> floats) const;
  std::vector<std::int64_t> to_integers() const;
  std::string shape_text() const;  // "[16, 64]"
};

std::size_t size_of(DataType type);
// Stored elements as f32. Throws ModelError for whole-number types.
void to_floats(DataType type, std::span<const std::byte> stored, std::span<float> floats);

// A memory-mapped .safetensors file whose header has been checked whole: lengths, types, shapes, offsets
// without overlap or hole. Throws ModelError naming file and tensor.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::filesystem::path& path);
  ~SafetensorsFile();
  SafetensorsFile(SafetensorsFile&& other) noexcept;
  SafetensorsFile(const SafetensorsFile&) = delete;

  const std::map<std::string, TensorView>& tensors() const { return tensors_; }
  const TensorView& at(const std::string& name) const;
  // "__metadata__", text alone.
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  const std::filesystem::path& path() const { return path_; }
  // Little of it is read from now on: the system is not to read what is around.
  void expect_few_reads() const;
  // A part of a tensor by read() and not from the mapping: where the disk must be read that is twice as fast,
  // and much of a large file never stands in this process's memory. False where the file has become shorter
  // or the disk fails. Several threads may read.
  bool read(std::span<const std::byte> part, std::span<std::byte> out) const;
  // The whole file, header included.
  std::span<const std::byte> bytes() const { return mapped_; }

 private:
  void read_header();
  void close();
  std::filesystem::path path_;
  int descriptor_ = -1;
  std::span<const std::byte> mapped_;
  std::map<std::string, TensorView> tensors_;
  std::map<std::string, std::string> metadata_;
};

}  // namespace palisade
