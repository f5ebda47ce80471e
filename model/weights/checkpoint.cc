#include "model/weights/checkpoint.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <functional>
#include <numeric>
#include <set>

#include "base/json.h"
#include "model/config/likely_cause.h"
#include "model/error.h"
#include "model/weights/checksum.h"
#include "model/weights/tensor_names.h"

namespace palisade {
namespace {

std::vector<std::string> shard_names(const std::filesystem::path& index_file) {
  const Json index = read_json(index_file, 64u << 20);
  const auto map = index.is_object() ? index.find("weight_map") : index.end();
  if (!index.is_object() || map == index.end() || !map->is_object() || map->empty()) {
    throw ModelError(index_file.string() + ": has no \"weight_map\"");
  }
  std::set<std::string> names;
  for (const auto& [tensor, shard] : map->items()) {
    const std::string name = shard.is_string() ? shard.get<std::string>() : "";
    // A shard is a file of this folder and nothing else.
    if (name.empty() || name.find('/') != std::string::npos || name.find('\0') != std::string::npos ||
        name.starts_with("..")) {
      throw ModelError(index_file.string() + ": tensor \"" + tensor + "\" names no file of this folder");
    }
    names.insert(name);
  }
  return {names.begin(), names.end()};
}

std::string shape_text(std::span<const std::int64_t> shape) {
  return TensorView{DataType::kF32, {shape.begin(), shape.end()}, {}}.shape_text();
}

bool holds_integers(const TensorView& tensor) {
  return tensor.type == DataType::kI64 || tensor.type == DataType::kU8;
}

// As transformers: one whole file comes before an index, which may be left of an older saving.
std::vector<std::filesystem::path> weight_files_of(const std::filesystem::path& folder) {
  const auto single = folder / "model.safetensors";
  if (std::filesystem::exists(single)) return {single};
  const auto index = folder / "model.safetensors.index.json";
  if (!std::filesystem::exists(index)) refuse_without_weights(folder);
  std::vector<std::filesystem::path> files;
  for (const std::string& name : shard_names(index)) {
    files.push_back(folder / name);
    if (!std::filesystem::exists(files.back())) refuse_without_shard(files.back());
  }
  return files;
}

}  // namespace

Checkpoint::Checkpoint(const std::filesystem::path& folder) : folder_(folder) {
  for (const auto& file : weight_files_of(folder)) files_.emplace_back(file);
  for (const SafetensorsFile& file : files_) {
    for (const auto& [name, tensor] : file.tensors()) add(name, {&file, &tensor, name});
  }
  settle_head();
  bytes_read_ = 0;
}

// As transformers: a head that equals the embedding is tied to it, one that differs is the head, whatever
// config.json says, and where one of both is missing, it is the other.
void Checkpoint::settle_head() {
  const auto head = tensors_.find(kHeadTensor), embedding = tensors_.find(kEmbeddingTensor);
  stores_head_ = head != tensors_.end();
  if (!stores_head_) return;
  if (embedding == tensors_.end()) {
    tensors_.insert({kEmbeddingTensor, head->second});
  } else if (!same_values(head->second, embedding->second)) {
    return;
  }
  tensors_.erase(head);
}

void Checkpoint::require_only(const std::function<bool(const std::string&)>& known) const {
  for (const auto& [name, stored] : tensors_) {
    if (!known(name)) throw ModelError(folder_.string() + ": " + why_unread(stored.name));
  }
}

// A tensor may stand twice, as shared weights do in some files, if both are the same.
void Checkpoint::add(const std::string& stored_name, const StoredTensor& stored) {
  const auto [there, added] = tensors_.insert({released_name(stored_name), stored});
  if (added || same_values(there->second, stored)) return;
  throw ModelError(folder_.string() + ": tensors \"" + there->second.name + "\" (" +
                   there->second.file->path().filename().string() + ") and \"" + stored_name + "\" (" +
                   stored.file->path().filename().string() +
                   ") are the same part of the model with different " +
                   "values; remove the one that is not meant");
}

const Checkpoint::StoredTensor& Checkpoint::find(const std::string& name,
                                                 std::span<const std::int64_t> shape) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) {
    throw ModelError(folder_.string() + ": tensor \"" + name +
                     "\" is missing; config.json asks for it: bring the config.json that belongs to these "
                     "weights, or download "
                     "them anew");
  }
  const TensorView& tensor = *found->second.tensor;
  if (!std::ranges::equal(tensor.shape, shape)) {
    throw ModelError(folder_.string() + ": tensor \"" + name + "\" has shape " + tensor.shape_text() +
                     ", config.json asks for " + shape_text(shape));
  }
  if (holds_integers(tensor)) {
    throw ModelError(folder_.string() + ": tensor \"" + name +
                     "\" holds whole numbers; expected F32, F16 or BF16");
  }
  return found->second;
}

void Checkpoint::require(const std::string& name, std::span<const std::int64_t> shape) const {
  find(name, shape);
}

void Checkpoint::fill(const std::string& name, std::span<const std::int64_t> shape, std::size_t first,
                      std::span<float> target) const {
  read_stored(find(name, shape), first, target);
}

void Checkpoint::read_stored(const StoredTensor& stored_tensor, std::size_t first,
                             std::span<float> target) const {
  const TensorView* const tensor = stored_tensor.tensor;
  const std::size_t size = size_of(tensor->type);
  constexpr std::size_t kPiece = 32 * 1024;  // elements, which are still near when they are converted
  thread_local std::vector<std::byte> stored(kPiece * sizeof(float));
  for (std::size_t done = 0; done < target.size(); done += kPiece) {
    const auto floats = target.subspan(done, std::min(kPiece, target.size() - done));
    const auto now = std::span(stored).first(floats.size() * size);
    tensor->read((first + done) * size, now);
    to_floats(tensor->type, now, floats);
    bytes_read_ += now.size();
  }
  tensor->file->require_unchanged();
}

bool Checkpoint::same_values(const StoredTensor& one, const StoredTensor& other) const {
  if (one.tensor->shape != other.tensor->shape) return false;
  if (holds_integers(*one.tensor) || holds_integers(*other.tensor)) return true;  // which no layer reads
  constexpr std::size_t kPiece = 1 << 20;
  const auto count = std::size_t(one.tensor->element_count());
  std::vector<float> values(std::min(kPiece, count)), others(values.size());
  for (std::size_t first = 0; first < count; first += kPiece) {
    const std::size_t some = std::min(kPiece, count - first);
    read_stored(one, first, std::span(values).first(some));
    read_stored(other, first, std::span(others).first(some));
    if (std::memcmp(values.data(), others.data(), some * sizeof(float)) != 0) return false;
  }
  return true;
}

void Checkpoint::read_elements(const std::string& name, std::span<const std::int64_t> shape,
                               std::size_t first, std::span<float> target) const {
  fill(name, shape, first, target);
  if (calibration_ != nullptr) calibration_->apply(name, shape, first, target);
}

Matrix Checkpoint::read(const std::string& name, std::initializer_list<std::int64_t> shape) const {
  const std::span<const std::int64_t> extents(shape.begin(), shape.size());
  require(name, extents);
  const std::int64_t rows = shape.size() > 1 ? *shape.begin() : 1;
  const std::int64_t elements =
      std::accumulate(shape.begin(), shape.end(), std::int64_t(1), std::multiplies<>());
  Matrix matrix(int(rows), int(elements / std::max<std::int64_t>(rows, 1)));
  read_elements(name, extents, 0, {matrix.data(), matrix.size()});
  return matrix;
}

WeightRows Checkpoint::rows(std::initializer_list<std::string> names,
                            std::initializer_list<std::int64_t> rows, std::int64_t cols) const {
  struct Part {
    std::string name;
    std::array<std::int64_t, 2> shape;
    int first;  // row of all
  };
  std::vector<Part> parts;
  int all_rows = 0;
  std::string all_names;
  const std::int64_t* count = rows.begin();
  for (const std::string& name : names) {
    parts.push_back({name, {*count++, cols}, all_rows});
    require(name, parts.back().shape);
    all_rows += int(parts.back().shape[0]);
    all_names += (all_names.empty() ? "" : "+") + name;
  }
  WeightRows all(all_rows, int(cols), [this, parts = std::move(parts)](int at, MatrixView out) {
    assert(out.contiguous());
    for (const Part& part : parts) {
      const int from = std::max(at, part.first);
      const int to = std::min(at + out.rows, part.first + int(part.shape[0]));
      if (from >= to) continue;
      const MatrixView into = out.row_range(from - at, to - from);
      read_elements(part.name, part.shape, std::size_t(from - part.first) * out.cols,
                    {into.data, std::size_t(into.rows) * into.cols});
    }
  });
  all.cache = cache_;
  all.name = all_names;
  if (inputs_ != nullptr) all.inputs = &inputs_->try_emplace(all_names, all).first->second;
  return all;
}

void Checkpoint::read_into(const std::string& name, std::span<const std::int64_t> shape,
                           std::span<float> target) const {
  require(name, shape);
  read_elements(name, shape, 0, target);
}

void Checkpoint::pack_with(PackedCache& cache) {
  cache_ = &cache;
  if (!cache.serves()) return;
  for (const SafetensorsFile& file : files_) file.file()->expect_few_reads();
}

bool Checkpoint::has(const std::string& name) const {
  return tensors_.contains(name);
}

bool Checkpoint::all_bf16() const {
  return std::ranges::all_of(tensors_, [](const auto& entry) {
    return holds_integers(*entry.second.tensor) || entry.second.tensor->type == DataType::kBf16;
  });
}

std::string Checkpoint::fingerprint() const {
  constexpr std::uint64_t kFirstBytes = 64;
  std::string all;
  for (const auto& [name, stored] : tensors_) {
    std::string first(std::min(kFirstBytes, stored.tensor->byte_count), '\0');
    stored.tensor->read(0, std::as_writable_bytes(std::span(first)));
    all += name + stored.tensor->shape_text() + first;
  }
  return checksum(std::as_bytes(std::span(all)));
}

WeightFiles Checkpoint::files() const {
  WeightFiles files;
  for (const SafetensorsFile& file : files_) files.push_back(file.file());
  return files;
}

}  // namespace palisade
