#include "model/train/model_folder.h"

#include <vector>

#include "model/weights/folder_writer.h"
#include "model/weights/safetensors_writer.h"

namespace palisade {

void write_model_folder(Parameters& parameters, const std::filesystem::path& source,
                        const std::filesystem::path& target, const std::string& id, DataType type) {
  parameters.merge_adapters();
  std::vector<NamedFloats> tensors;
  for (const Parameters::Tensor& tensor : parameters.tensors()) {
    if (!tensor.spec.added) tensors.push_back({tensor.spec.name, tensor.spec.shape, tensor.value});
  }
  write_model_folder(source, target, id, parameters.config(), type, [&](const std::filesystem::path& file) {
    write_safetensors(file, tensors, {{"format", "pt"}}, type);
  });
}

}  // namespace palisade
