#pragma once

#include <span>
#include <string>
#include <vector>

#include "model/train/tensors.h"
#include "model/weights/checkpoint.h"

namespace palisade {

// f32 elements in one block of memory, 64-byte aligned, zero at first.
class FloatBlock {
 public:
  FloatBlock() = default;
  explicit FloatBlock(std::size_t size);
  std::span<float> all() { return {matrix_.data(), size_}; }
  std::span<const float> all() const { return {matrix_.data(), size_}; }
  float* data() { return matrix_.data(); }

 private:
  Matrix matrix_;
  std::size_t size_ = 0;
};

// What is trained, and how it begins.
struct TrainedTensors {
  std::vector<ModelPart> parts;
  int lora_rank = 0;  // above 0: of the towers in `parts`, adapters of this rank instead of the weights
  int stored_image_size = 0;  // of the checkpoint, where positions are to be resampled to the configuration's
  int patch_classes = 0;      // above 0: with stage 0's heads, see ImageStage
};

// The f32 weights of a PaliGemma and, of the parts that are trained, their gradients, each in one block of
// memory.
class Parameters {
 public:
  struct Tensor {
    TensorSpec spec;
    bool trained = false;
    std::span<float> value;
    std::span<float> gradient;       // of a trained tensor
    std::size_t trained_offset = 0;  // of its gradient in gradients()
  };

  // Reads every weight; throws Error naming what is missing.
  Parameters(const ModelConfig& config, const Checkpoint& checkpoint, const TrainedTensors& trained);
  Parameters(Parameters&&) = default;

  const ModelConfig& config() const { return config_; }
  bool trains(ModelPart part) const;
  // Position embeddings were resampled to another picture size than the checkpoint's.
  bool resampled() const;
  // In the order in which they lie in memory.
  std::span<const Tensor> tensors() const { return tensors_; }
  const Tensor& tensor(const std::string& name) const;
  const PaliGemmaTensors& weights() const { return weights_; }
  // Without data where a tensor is not trained.
  const PaliGemmaTensors& gradients() const { return gradients_; }
  // More gradients of the same tensors, laid out as gradient_block(), zero at first.
  struct Gradients {
    FloatBlock block;
    PaliGemmaTensors tensors;
  };
  Gradients more_gradients() const;
  // The gradients of all trained tensors as one block, with the gaps between them.
  std::span<float> gradient_block() { return gradient_block_.all(); }
  // The values of all tensors as one block, with the gaps between them.
  std::span<float> value_block() { return value_block_.all(); }
  // Adds what the adapters have learnt to the weights that they belong to, and begins them anew.
  void merge_adapters();

 private:
  void lay_out();
  void read(const Checkpoint& checkpoint);

  ModelConfig config_;
  TrainedTensors trained_;
  FloatBlock value_block_;
  FloatBlock gradient_block_;
  std::vector<Tensor> tensors_;
  PaliGemmaTensors weights_;
  PaliGemmaTensors gradients_;
};

}  // namespace palisade
