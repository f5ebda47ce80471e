#include "model/train/parameters.h"

#include <algorithm>
#include <cmath>

#include "model/error.h"
#include "model/matmul/matmul.h"
#include "model/train/initial_weights.h"
#include "model/train/resolution.h"
#include "model/weights/checkpoint_match.h"

namespace palisade {
namespace {

constexpr std::size_t kAlignedFloats = 16;

std::size_t aligned(std::size_t size) {
  return (size + kAlignedFloats - 1) / kAlignedFloats * kAlignedFloats;
}

// An adapter's `up` is nothing at first and its `down` random, so that the model begins as it was and can
// learn. SigLIP's loss begins with a scale of 10 and a bias of -10 (arXiv 2303.15343).
void begin_added(const TensorSpec& spec, std::span<float> value) {
  if (spec.name.ends_with("lora_up")) return;
  if (spec.name.ends_with("scale_and_bias")) {
    value[0] = std::log(10.0f);
    value[1] = -10.0f;
    return;
  }
  InitialWeights().read_into(spec.name, spec.shape, value);
}

}  // namespace

FloatBlock::FloatBlock(std::size_t size) : size_(size) {
  constexpr std::size_t kRow = 1 << 16;
  matrix_ = Matrix(int((size + kRow - 1) / kRow), int(kRow));
  std::fill_n(matrix_.data(), size, 0.0f);
}

Parameters::Parameters(const ModelConfig& config, const Checkpoint& checkpoint, const TrainedTensors& trained)
    : config_(matched(config, checkpoint)), trained_(trained) {
  lay_out();
  read(checkpoint);
}

// Three walks in the same order: what there is, where its values are, and where its gradients are.
void Parameters::lay_out() {
  std::size_t values = 0, gradients = 0;
  std::vector<std::size_t> value_offsets;
  const int rank = trained_.lora_rank;
  const AddedTensors added{rank, trained_.patch_classes};
  paligemma_tensors(config_, added, [&](std::span<const TensorSpec> stacked) -> float* {
    for (const TensorSpec& spec : stacked) {
      const bool whole = rank == 0 || spec.added || spec.part == ModelPart::kProjection;
      const bool trained = trains(spec.part) && whole;
      tensors_.push_back({.spec = spec, .trained = trained, .trained_offset = gradients});
      value_offsets.push_back(values);
      values += spec.size();
      if (trained) gradients += spec.size();
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
  const auto views = [&](std::span<float> Tensor::*block) {
    std::size_t next = 0;
    return paligemma_tensors(config_, added, [&](std::span<const TensorSpec> stacked) {
      float* const first = (tensors_[next].*block).data();
      next += stacked.size();
      return first;
    });
  };
  weights_ = views(&Tensor::value);
  gradients_ = views(&Tensor::gradient);
}

Parameters::Gradients Parameters::more_gradients() const {
  Gradients more{FloatBlock(gradient_block_.all().size()), {}};
  std::size_t next = 0;
  const AddedTensors added{trained_.lora_rank, trained_.patch_classes};
  more.tensors = paligemma_tensors(config_, added, [&](std::span<const TensorSpec> stacked) {
    const Tensor& first = tensors_[next];
    next += stacked.size();
    return first.trained ? more.block.data() + first.trained_offset : nullptr;
  });
  return more;
}

void Parameters::read(const Checkpoint& checkpoint) {
  const int stored = trained_.stored_image_size;
  for (const Tensor& tensor : tensors_) {
    if (tensor.spec.added) {
      begin_added(tensor.spec, tensor.value);
    } else if (resampled() && tensor.spec.name.ends_with("position_embedding.weight")) {
      const int stored_grid = stored / config_.vision.patch_size;
      const Matrix kept =
          checkpoint.read(tensor.spec.name, {stored_grid * stored_grid, config_.vision.width});
      const Matrix positions = resampled_positions(kept, config_.vision.grid());
      std::copy_n(positions.data(), positions.size(), tensor.value.begin());
    } else {
      checkpoint.read_into(tensor.spec.name, tensor.spec.shape, tensor.value);
    }
  }
}

void Parameters::merge_adapters() {
  const auto merge = [](const Affine& layer) {
    if (!layer.up.data) return;
    multiply(layer.up, layer.down, false, 1, 1, layer.weight);
    std::fill_n(layer.up.data, std::size_t(layer.up.rows) * std::size_t(layer.up.cols), 0.0f);
  };
  for (const EncoderBlockTensors& block : weights_.image_tower.blocks) {
    for (const Affine& layer : {block.qkv, block.attention_out, block.fc1, block.fc2}) merge(layer);
  }
  for (const DecoderBlockTensors& block : weights_.language_tower.blocks) {
    for (const Affine& layer : {block.qkv, block.attention_out, block.gate_up, block.down}) merge(layer);
  }
}

bool Parameters::resampled() const {
  return trained_.stored_image_size > 0 && trained_.stored_image_size != config_.vision.image_size;
}

bool Parameters::trains(ModelPart part) const {
  return std::ranges::find(trained_.parts, part) != trained_.parts.end();
}

const Parameters::Tensor& Parameters::tensor(const std::string& name) const {
  const auto found = std::ranges::find(
      tensors_, name, [](const Tensor& tensor) -> const std::string& { return tensor.spec.name; });
  if (found == tensors_.end())
    throw ModelError("no tensor \"" + name + "\" in a model of this configuration");
  return *found;
}

}  // namespace palisade
