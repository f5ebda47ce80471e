#include "model/weights/safetensors_writer.h"

#include <algorithm>
#include <cassert>
#include <functional>
#include <numeric>

#include "base/json.h"
#include "model/kernels/row_formats.h"

namespace palisade {

SafetensorsWriter::SafetensorsWriter(const std::filesystem::path& path, std::span<const NamedShape> tensors,
                                     const std::map<std::string, std::string>& metadata, DataType type)
    : file_(path), halves_(type == DataType::kBf16) {
  assert(halves_ || type == DataType::kF32);
  nlohmann::ordered_json header;
  header["__metadata__"] = metadata;
  std::uint64_t at = 0;
  for (const NamedShape& tensor : tensors) {
    const auto elements = std::uint64_t(
        std::accumulate(tensor.shape.begin(), tensor.shape.end(), std::int64_t(1), std::multiplies<>()));
    const std::uint64_t end = at + elements * (halves_ ? 2 : 4);
    header[tensor.name] = {
        {"dtype", halves_ ? "BF16" : "F32"}, {"shape", tensor.shape}, {"data_offsets", {at, end}}};
    at = end;
    left_ += elements;
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');  // the data begin at a multiple of 8
  const std::uint64_t length = text.size();     // little-endian, as x86 and ARM have it
  file_.write(std::as_bytes(std::span(&length, 1)));
  file_.write(text);
}

void SafetensorsWriter::write(std::span<const float> values) {
  assert(values.size() <= left_);
  left_ -= values.size();
  if (!halves_) return file_.write(std::as_bytes(values));
  constexpr std::size_t kPiece = 1 << 20;
  std::vector<std::uint16_t> rounded(std::min(kPiece, values.size()));
  for (std::size_t first = 0; first < values.size(); first += kPiece) {
    const auto some = values.subspan(first, std::min(kPiece, values.size() - first));
    to_bf16(some, std::span(rounded).first(some.size()));
    file_.write(std::as_bytes(std::span(rounded).first(some.size())));
  }
}

void SafetensorsWriter::commit() {
  assert(left_ == 0);
  file_.commit();
}

void write_safetensors(const std::filesystem::path& path, std::span<const NamedFloats> tensors,
                       const std::map<std::string, std::string>& metadata, DataType type) {
  std::vector<NamedShape> shapes;
  for (const NamedFloats& tensor : tensors) shapes.push_back({tensor.name, tensor.shape});
  SafetensorsWriter writer(path, shapes, metadata, type);
  for (const NamedFloats& tensor : tensors) writer.write(tensor.values);
  writer.commit();
}

}  // namespace palisade
