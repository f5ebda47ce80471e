#include "model/train/parameters.h"

#include <algorithm>
#include <cassert>

#include "model/error.h"
#include "model/train/resolution.h"

namespace palisade {
namespace {

constexpr std::size_t kAlignedFloats = 16;

std::size_t aligned(std::size_t size) {
  return (size + kAlignedFloats - 1) / kAlignedFloats * kAlignedFloats;
}

}  // namespace

FloatBlock::FloatBlock(std::size_t size) : size_(size) {
  constexpr std::size_t kRow = 1 << 16;
  matrix_ = Matrix(int((size + kRow - 1) / kRow), int(kRow));
  std::fill_n(matrix_.data(), size, 0.0f);
}

Parameters::Parameters(const ModelConfig& config, const Checkpoint& checkpoint,
                       std::span<const ModelPart> trained, int stored_image_size)
    : config_(config), trained_(trained.begin(), trained.end()) {
  if (checkpoint.has("language_model.lm_head.weight"))
    throw ModelError(
        "the checkpoint has a head of its own (language_model.lm_head.weight); only a head tied to "
        "the embedding can be trained");
  // Three walks in the same order: what there is, where its values are, and where its gradients are.
  std::size_t values = 0, gradients = 0;
  std::vector<std::size_t> value_offsets;
  paligemma_tensors(config, [&](std::span<const TensorSpec> stacked) -> float* {
    for (const TensorSpec& spec : stacked) {
      tensors_.push_back({.spec = spec, .trained = trains(spec.part), .trained_offset = gradients});
      value_offsets.push_back(values);
      values += spec.size();
      if (trains(spec.part)) gradients += spec.size();
    }
    values = aligned(values);
    gradients = aligned(gradients);
    return nullptr;
  });
  value_block_ = FloatBlock(values);
  gradient_block_ = FloatBlock(gradients);
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    Tensor& tensor = tensors_[i];
    tensor.value = value_block_.all().subspan(value_offsets[i], tensor.spec.size());
    if (tensor.trained)
      tensor.gradient = gradient_block_.all().subspan(tensor.trained_offset, tensor.spec.size());
  }
  read(checkpoint, stored_image_size);
  std::size_t next = 0;
  weights_ = paligemma_tensors(config, [&](std::span<const TensorSpec> stacked) {
    float* const first = tensors_[next].value.data();
    next += stacked.size();
    return first;
  });
  next = 0;
  gradients_ = paligemma_tensors(config, [&](std::span<const TensorSpec> stacked) {
    float* const first = tensors_[next].gradient.data();
    next += stacked.size();
    return first;
  });
}

void Parameters::read(const Checkpoint& checkpoint, int stored_image_size) {
  const bool resampled = stored_image_size != config_.vision.image_size;
  for (const Tensor& tensor : tensors_) {
    if (resampled && tensor.spec.name.ends_with("position_embedding.weight")) {
      const int stored_grid = stored_image_size / config_.vision.patch_size;
      const Matrix stored =
          checkpoint.read(tensor.spec.name, {stored_grid * stored_grid, config_.vision.width});
      const Matrix positions = resampled_positions(stored, config_.vision.grid());
      std::copy_n(positions.data(), positions.size(), tensor.value.begin());
    } else {
      checkpoint.read_into(tensor.spec.name, tensor.spec.shape, tensor.value);
    }
  }
}

bool Parameters::trains(ModelPart part) const {
  return std::ranges::find(trained_, part) != trained_.end();
}

const Parameters::Tensor& Parameters::tensor(const std::string& name) const {
  const auto found = std::ranges::find(
      tensors_, name, [](const Tensor& tensor) -> const std::string& { return tensor.spec.name; });
  if (found == tensors_.end())
    throw ModelError("no tensor \"" + name + "\" in a model of this configuration");
  return *found;
}

}  // namespace palisade
