// The forward upside down.
#include <cmath>

#include "model/kernels/kernels.h"
#include "model/train/pass_part.h"

namespace palisade {
namespace {

// target += factor * x
void add_scaled(std::span<float> target, std::span<float> x, float factor) {
  scale(x, factor);
  add(target, x);
}

}  // namespace

bool PassPart::images_trained() const {
  return parameters_.trains(ModelPart::kProjection) || parameters_.trains(ModelPart::kImageEncoder);
}

void PassPart::backward(const TrainingBatch& batch) {
  decode_backward();
  embed_backward(batch);
  if (images_trained()) encode_backward();
}

void PassPart::decode_backward() {
  const TextConfig& config = config_.text;
  const LanguageTowerTensors& weights = parameters_.weights().language_tower;
  const LanguageTowerTensors& gradients = gradients_.language_tower;
  const int targets = int(targets_.size());
  const MatrixView dtargets_in = dtargets_in_.shaped(targets, config.width);
  fill_rows(dtargets_in, 0);
  rms_norm_rows_backward(weights.final_norm, gradients.final_norm, config.rms_norm_eps, targets_in_,
                         dtargets_, dtargets_in, scratch_.rows);
  const MatrixView dx = dx_.shaped(decoder_[0].x.view().rows, config.width);
  const DecoderPass pass = decoder_pass();
  for (int layer = config.layers; layer-- > 0;) {
    const auto index = std::size_t(layer);
    decoder_block_backward(pass, layer, weights.blocks[index], gradients.blocks[index], decoder_[index],
                           layer + 1 == config.layers ? dtargets_in : dx, dx);
  }
}

void PassPart::embed_backward(const TrainingBatch& batch) {
  const MatrixView dembedding = gradients_.language_tower.embedding;
  const float factor = std::sqrt(float(config_.text.width));
  const int tokens = config_.image_tokens();
  const MatrixView dx = dx_;
  const MatrixView dfeatures = dfeatures_.shaped(features_.view().rows, config_.text.width);
  if (images_trained()) fill_rows(dfeatures, 0);
  int row = 0;
  const auto take = [&](TokenId id) {
    if (dembedding.data) add_scaled(dembedding.row(id), dx.row(row), factor);
    ++row;
  };
  for (std::size_t i = 0; i < examples_.size(); ++i) {
    const TrainingExample& example = examples_[i];
    const bool follows = i > 0 && batch.follows(range_.first + i);
    for (const int picture : example.pictures) {
      if (follows) break;
      if (images_trained())
        add_rows(dfeatures.row_range(first_feature(picture), tokens), dx.row_range(row, tokens));
      row += tokens;
    }
    for (const TokenId id : example.prompt) take(id);
    for (std::size_t token = 0; token + 1 < example.suffix.size(); ++token) take(example.suffix[token]);
  }
}

void PassPart::encode_backward() {
  affine_weight_gradients(parameters_.weights().projection, gradients_.projection, tower_states_, dfeatures_,
                          scratch_.rows);
  if (!parameters_.trains(ModelPart::kImageEncoder)) return;
  const MatrixView dstates = scratch_.mixed.shaped(tower_states_.rows, tower_states_.cols);
  affine_input_gradient(parameters_.weights().projection, dfeatures_, dstates, scratch_.rows);
  image_tower_.backward(dstates);
}

}  // namespace palisade
