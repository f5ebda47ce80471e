#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "model/tensor/matrix.h"
#include "model/weights/calibration.h"
#include "model/weights/packed_cache.h"
#include "model/weights/safetensors.h"
#include "model/weights/weight_files.h"
#include "model/weights/weight_rows.h"

namespace palisade {

// The weights of a Hugging Face folder: model.safetensors, or else the shards that
// model.safetensors.index.json lists. Names are those of the released files, whatever the folder's are (see
// released_name). Throws Error naming file and tensor.
class Checkpoint {
 public:
  explicit Checkpoint(const std::filesystem::path& folder);
  virtual ~Checkpoint() = default;
  Checkpoint(const Checkpoint&) = delete;
  Checkpoint& operator=(const Checkpoint&) = delete;

  // A tensor as f32 rows; `shape` is what the configuration says, and [n] is one row. More than two extents
  // are folded into the columns.
  Matrix read(const std::string& name, std::initializer_list<std::int64_t> shape) const;
  // Tensors [rows, cols] one below the other, so that they become one matmul; read as they are packed, while
  // the checkpoint is there.
  WeightRows rows(std::initializer_list<std::string> names, std::initializer_list<std::int64_t> rows,
                  std::int64_t cols) const;
  // The elements of one tensor of this shape, row-major, as f32.
  void read_into(const std::string& name, std::span<const std::int64_t> shape, std::span<float> target) const;
  // rows() from now on are kept and read there, in the order in which they are asked for. Outlives this.
  void pack_with(PackedCache& cache);
  // Everything is smoothed from now on, as int8 wants it. Outlives this.
  void smooth_with(const Calibration& calibration) { calibration_ = &calibration; }
  // Matmuls of rows() from now on record their inputs there. Outlives them.
  void record_inputs(RecordedInputs& inputs) { inputs_ = &inputs; }
  virtual bool has(const std::string& name) const;
  // A head is stored; has(kHeadTensor) says whether it is another than the embedding.
  bool stores_head() const { return stores_head_; }
  // Throws where there is a tensor that is not `known`, with the likely cause.
  void require_only(const std::function<bool(const std::string&)>& known) const;
  // Whether every float is stored so.
  bool all_bf16() const;
  WeightFiles files() const;
  // So far, from its files. What is read twice counts twice: a tied head, which is packed while the disk goes
  // on, and some matrices that are packed in parts.
  std::size_t bytes_read() const { return bytes_read_; }
  // Of names, shapes and the first values of all tensors: other weights have another.
  std::string fingerprint() const;

 protected:
  Checkpoint() = default;  // of no folder: the weights come from elsewhere
  // Throws where there is no such tensor of this shape: before memory is taken for it.
  virtual void require(const std::string& name, std::span<const std::int64_t> shape) const;
  // The elements of one tensor of this shape, row-major, from `first` on. Called by several threads.
  virtual void fill(const std::string& name, std::span<const std::int64_t> shape, std::size_t first,
                    std::span<float> target) const;

 private:
  // As fill(), smoothed.
  void read_elements(const std::string& name, std::span<const std::int64_t> shape, std::size_t first,
                     std::span<float> target) const;
  struct StoredTensor {
    const SafetensorsFile* file;
    const TensorView* tensor;
    std::string name;  // in the file
  };
  void add(const std::string& stored_name, const StoredTensor& stored);
  void settle_head();
  void read_stored(const StoredTensor& stored_tensor, std::size_t first, std::span<float> target) const;
  bool same_values(const StoredTensor& one, const StoredTensor& other) const;
  const StoredTensor& find(const std::string& name, std::span<const std::int64_t> shape) const;
  std::filesystem::path folder_;
  PackedCache* cache_ = nullptr;
  const Calibration* calibration_ = nullptr;
  RecordedInputs* inputs_ = nullptr;
  mutable std::atomic<std::size_t> bytes_read_ = 0;
  std::vector<SafetensorsFile> files_;
  std::map<std::string, StoredTensor> tensors_;
  bool stores_head_ = false;
};

}  // namespace palisade
