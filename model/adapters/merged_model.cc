#include "model/adapters/merged_model.h"

#include <cstdint>
#include <functional>
#include <numeric>
#include <vector>

#include "base/format.h"
#include "model/adapters/adapter_tensors.h"
#include "model/adapters/overlaid_checkpoint.h"
#include "model/config/likely_cause.h"
#include "model/error.h"
#include "model/kernels/kernels.h"
#include "model/matmul/matmul.h"
#include "model/weights/checkpoint_match.h"
#include "model/weights/folder_writer.h"
#include "model/weights/safetensors_writer.h"
#include "model/weights/tensor_names.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMatrixEnding = ".weight", kBiasEnding = ".bias";

// The adapted module of its matrix or its bias; nullptr where there is none.
const LowRankMatrix* adapted_by(const AdapterTensors& adapter, const std::string& name,
                                std::string_view ending) {
  if (!name.ends_with(ending)) return nullptr;
  const auto found = adapter.low_rank.find(name.substr(0, name.size() - ending.size()));
  return found == adapter.low_rank.end() ? nullptr : &found->second;
}

void require_mergeable(const AdapterTensors& adapter, const TensorShapes& shapes, bool own_head) {
  const auto fail = [&](const std::string& name, const std::string& why) {
    throw ModelError(adapter.folder.string() + ": cannot be merged: " + name + " " + why +
                     "; use it beside the model, with --adapter");
  };
  for (const auto& [name, matrix] : adapter.low_rank) {
    if (!matrix.added.empty() && !shapes.contains(name + std::string(kBiasEnding)))
      fail(name, "has a bias (lora_bias), and the model's has no place for one");
  }
  if (own_head) return;
  for (const std::string& name : {kEmbeddingTensor, kHeadTensor}) {
    const bool changed =
        adapter.replaced.contains(name) || adapted_by(adapter, name, kMatrixEnding) != nullptr;
    if (changed)
      fail(name, "is changed alone, and the model's embedding and head are one tensor in its folder");
  }
}

}  // namespace

void write_merged_model(const fs::path& model, const fs::path& adapter_folder, const fs::path& target,
                        const std::string& id, std::optional<DataType> type) {
  require_model_folder(model);
  const ModelConfig stated = read_model_config(model);
  const AdapterTensors adapter = read_adapter(adapter_folder, stated);
  const OverlaidCheckpoint checkpoint(model, adapter.replaced);
  const ModelConfig config = matched(stated, Checkpoint(model));
  const TensorShapes shapes = tensor_shapes(config);
  require_mergeable(adapter, shapes, config.text.own_head);
  std::vector<NamedShape> tensors;
  for (const auto& [name, shape] : shapes) {
    if (checkpoint.has(name)) tensors.push_back({name, shape});
  }
  const DataType stored = type.value_or(checkpoint.all_bf16() ? DataType::kBf16 : DataType::kF32);
  write_model_folder(model, target, id, config, stored, [&](const fs::path& file) {
    SafetensorsWriter writer(file, tensors, {{"format", "pt"}}, stored);
    for (const NamedShape& tensor : tensors) {
      const auto columns =
          std::accumulate(tensor.shape.begin() + 1, tensor.shape.end(), std::int64_t(1), std::multiplies<>());
      Matrix values(int(tensor.shape[0]), int(columns));
      checkpoint.read_into(tensor.name, tensor.shape, {values.data(), values.size()});
      if (const LowRankMatrix* const low = adapted_by(adapter, tensor.name, kMatrixEnding))
        multiply(low->b, low->a, false, 1, 1, values);
      if (const LowRankMatrix* const low = adapted_by(adapter, tensor.name, kBiasEnding);
          low != nullptr && !low->added.empty())
        add({values.data(), values.size()}, low->added);
      writer.write({values.data(), values.size()});
    }
    writer.commit();
  });
}

}  // namespace palisade
