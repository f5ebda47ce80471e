#include <algorithm>
#include <cassert>
#include <cmath>

#include "model/image_encoder.h"
#include "model/kernels.h"
#include "model/train/training_pass.h"

namespace palisade {

TrainingPass::TrainingPass(Parameters& parameters)
    : parameters_(parameters), config_(parameters.config()), rotary_(config_.text) {}

std::vector<ExampleLoss> TrainingPass::evaluate(const TrainingBatch& batch, const PassOptions& options) {
  return forward(batch, options, false);
}

std::vector<ExampleLoss> TrainingPass::accumulate(const TrainingBatch& batch, const PassOptions& options) {
  auto losses = forward(batch, options, true);
  backward(batch);
  return losses;
}

std::vector<ExampleLoss> TrainingPass::forward(const TrainingBatch& batch, const PassOptions& options,
                                               bool keep) {
  lay_out(batch, options);
  encode(batch, keep);
  embed(batch);
  decode(keep);
  return loss(keep);
}

void TrainingPass::lay_out(const TrainingBatch& batch, const PassOptions& options) {
  assert(!batch.pictures.empty() && !batch.examples.empty());
  options_ = options;
  sequences_.clear();
  target_rows_.clear();
  targets_.clear();
  const double examples = options.examples > 0 ? options.examples : double(batch.examples.size());
  int row = 0, longest = 0;
  for (const TrainingExample& example : batch.examples) {
    assert(!example.prompt.empty() && !example.suffix.empty());
    const int prefix = int(example.pictures.size()) * config_.image_tokens() + int(example.prompt.size());
    const int targets = int(example.suffix.size());
    // The last token is predicted and predicts nothing.
    sequences_.push_back({.first = row, .rows = prefix + targets - 1, .prefix = prefix});
    for (int i = 0; i < targets; ++i) {
      target_rows_.push_back(row + prefix - 1 + i);
      targets_.push_back({example.suffix[std::size_t(i)], float(1.0 / (targets * examples))});
    }
    row += prefix + targets - 1;
    longest = std::max(longest, prefix + targets - 1);
  }
  if (longest <= rotary_table_.cosines.rows()) return;
  rotary_table_ = {Matrix(longest, rotary_.half()), Matrix(longest, rotary_.half()),
                   Matrix(longest, rotary_.half())};
  for (int position = 0; position < longest; ++position) {
    const auto sines = rotary_table_.sines.row(position);
    rotary_.angles(position, rotary_table_.cosines.row(position), sines);
    std::ranges::transform(sines, rotary_table_.negated_sines.row(position).begin(), std::negate<>());
  }
}

void TrainingPass::encode(const TrainingBatch& batch, bool keep) {
  const ImageTowerTensors& weights = parameters_.weights().image_tower;
  const VisionConfig& config = config_.vision;
  const EncoderShape shape = encoder_shape_of(config);
  const int tokens = config.tokens(), rows = int(batch.pictures.size()) * tokens;
  keep = keep && parameters_.trains(ModelPart::kImageEncoder);
  encoder_.resize(std::max(encoder_.size(), std::size_t(keep ? config.layers : 1)));

  const MatrixView patches = patches_.shaped(rows, weights.patch_embedding.weight.cols);
  write_patches(config, batch.pictures, patches);
  MatrixView x = encoder_[0].x.shaped(rows, config.width);
  affine(weights.patch_embedding, patches, x, scratch_.rows);
  for (int row = 0; row < rows; ++row) add(x.row(row), weights.positions.row(row % tokens));
  const MatrixView out = tower_out_.shaped(rows, config.width);
  for (int layer = 0; layer < config.layers; ++layer) {
    const bool last = layer + 1 == config.layers;
    const MatrixView next = last   ? out
                            : keep ? encoder_[std::size_t(layer) + 1].x.shaped(rows, config.width)
                                   : x;
    encoder_block(shape, weights.blocks[std::size_t(layer)], tokens, encoder_[keep ? std::size_t(layer) : 0],
                  scratch_, next);
  }
  const MatrixView normed = tower_normed_.shaped(rows, config.width);
  layer_norm_rows(weights.final_norm, config.layer_norm_eps, out, normed);
  affine(parameters_.weights().projection, normed, features_.shaped(rows, config_.text.width), scratch_.rows);
}

void TrainingPass::embed(const TrainingBatch& batch) {
  const ConstMatrixView embedding = parameters_.weights().language_tower.embedding;
  const float factor = std::sqrt(float(config_.text.width));
  const int tokens = config_.image_tokens();
  decoder_.resize(std::max<std::size_t>(decoder_.size(), 1));
  const int rows = sequences_.back().first + sequences_.back().rows;
  const MatrixView x = decoder_[0].x.shaped(rows, config_.text.width);
  int row = 0;
  const auto put = [&](TokenId id) {
    std::ranges::copy(embedding.row(id), x.row(row).begin());
    scale(x.row(row++), factor);
  };
  for (const TrainingExample& example : batch.examples) {
    for (const int picture : example.pictures) {
      copy_rows(features_.view().row_range(picture * tokens, tokens), x.row_range(row, tokens));
      row += tokens;
    }
    for (const TokenId id : example.prompt) put(id);
    for (std::size_t i = 0; i + 1 < example.suffix.size(); ++i) put(example.suffix[i]);
  }
}

DecoderPass TrainingPass::decoder_pass() {
  return {config_.text, sequences_, rotary_table_, options_.dropout, scratch_};
}

void TrainingPass::decode(bool keep) {
  const TextConfig& config = config_.text;
  const LanguageTowerTensors& weights = parameters_.weights().language_tower;
  const MatrixView x = decoder_[0].x;
  const int rows = x.rows;
  if (keep) decoder_.resize(std::max(decoder_.size(), std::size_t(config.layers)));
  const MatrixView out = language_out_.shaped(rows, config.width);
  const DecoderPass pass = decoder_pass();
  for (int layer = 0; layer < config.layers; ++layer) {
    const bool last = layer + 1 == config.layers;
    const MatrixView next = last   ? out
                            : keep ? decoder_[std::size_t(layer) + 1].x.shaped(rows, config.width)
                                   : x;
    decoder_block(pass, layer, weights.blocks[std::size_t(layer)], decoder_[keep ? std::size_t(layer) : 0],
                  next);
  }
  const int targets = int(targets_.size());
  const MatrixView in = targets_in_.shaped(targets, config.width);
  for (int i = 0; i < targets; ++i)
    std::ranges::copy(out.row(target_rows_[std::size_t(i)]), in.row(i).begin());
  rms_norm_rows(weights.final_norm, config.rms_norm_eps, in, target_states_.shaped(targets, config.width),
                scratch_.rows);
}

std::vector<ExampleLoss> TrainingPass::loss(bool with_gradients) {
  const int targets = int(targets_.size()), width = config_.text.width;
  losses_.resize(std::size_t(targets));
  HeadGradients gradients;
  if (with_gradients)
    gradients = {dtargets_.shaped(targets, width), parameters_.gradients().language_tower.embedding};
  head_loss(options_.loss, parameters_.weights().language_tower.embedding, target_states_, targets_, losses_,
            gradients, logits_);
  std::vector<ExampleLoss> examples;
  std::size_t at = 0;
  for (const SequenceRows& sequence : sequences_) {
    const int count = sequence.rows - sequence.prefix + 1;
    ExampleLoss example{.exact = true};
    for (int i = 0; i < count; ++i) {
      const TokenLoss& token = losses_[at++];
      example.loss += token.loss / count;
      example.exact = example.exact && token.likeliest;
    }
    examples.push_back(example);
  }
  return examples;
}

}  // namespace palisade
