#include "model/weights/safetensors_writer.h"

#include <cassert>

#include "base/json.h"
#include "base/whole_file.h"
#include "model/kernels/row_formats.h"

namespace palisade {

void write_safetensors(const std::filesystem::path& path, std::span<const NamedFloats> tensors,
                       const std::map<std::string, std::string>& metadata, DataType type) {
  const bool halves = type == DataType::kBf16;
  assert(halves || type == DataType::kF32);
  nlohmann::ordered_json header;
  header["__metadata__"] = metadata;
  std::uint64_t at = 0;
  for (const NamedFloats& tensor : tensors) {
    const std::uint64_t end = at + tensor.values.size_bytes() / (halves ? 2 : 1);
    header[tensor.name] = {
        {"dtype", halves ? "BF16" : "F32"}, {"shape", tensor.shape}, {"data_offsets", {at, end}}};
    at = end;
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');  // the data begin at a multiple of 8
  const std::uint64_t length = text.size();     // little-endian, as x86 and ARM have it
  WholeFile file(path);
  file.write(std::as_bytes(std::span(&length, 1)));
  file.write(text);
  for (const NamedFloats& tensor : tensors) {
    if (halves) {
      std::vector<std::uint16_t> rounded(tensor.values.size());
      to_bf16(tensor.values, rounded);
      file.write(std::as_bytes(std::span(rounded)));
    } else {
      file.write(std::as_bytes(tensor.values));
    }
  }
  file.commit();
}

}  // namespace palisade
