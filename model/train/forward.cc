#include <algorithm>
#include <cassert>
#include <cmath>

#include "model/kernels/kernels.h"
#include "model/train/training_pass.h"

namespace palisade {

TrainingPass::TrainingPass(Parameters& parameters)
    : parameters_(parameters),
      config_(parameters.config()),
      rotary_(config_.text),
      image_tower_(parameters, scratch_) {}

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
  return loss(batch, keep);
}

void TrainingPass::lay_out(const TrainingBatch& batch, const PassOptions& options) {
  assert(!batch.pictures.empty() && !batch.examples.empty());
  options_ = options;
  sequences_.clear();
  target_rows_.clear();
  targets_.clear();
  const double examples = options.examples > 0 ? options.examples : double(batch.examples.size());
  const int tokens = config_.image_tokens();
  int row = 0, longest = 0;
  const auto add_sequence = [&](const SequenceRows& sequence, int before) {
    sequences_.push_back(sequence);
    row += sequence.rows;
    longest = std::max(longest, before + sequence.rows);
  };
  for (std::size_t i = 0; i < batch.examples.size(); ++i) {
    const TrainingExample& example = batch.examples[i];
    assert(!example.prompt.empty() && !example.suffix.empty());
    const int pictures = int(example.pictures.size()) * tokens, prompt = int(example.prompt.size());
    const int targets = int(example.suffix.size());
    if (batch.pictures_alone && !batch.follows(i))
      add_sequence({.first = row, .rows = pictures, .prefix = pictures}, 0);
    const int own = batch.pictures_alone ? 0 : pictures;
    // The last token is predicted and predicts nothing.
    const int rows = own + prompt + targets - 1;
    for (int target = 0; target < targets; ++target) {
      target_rows_.push_back(row + own + prompt - 1 + target);
      targets_.push_back({example.suffix[std::size_t(target)], float(example.weight / (targets * examples))});
    }
    const int back = !batch.pictures_alone ? 0 : batch.follows(i) ? sequences_.back().shared + 1 : 1;
    add_sequence({.first = row, .rows = rows, .prefix = own + prompt, .shared = back}, pictures - own);
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
  tower_states_ = image_tower_.forward(batch.pictures, keep && parameters_.trains(ModelPart::kImageEncoder));
  affine(parameters_.weights().projection, tower_states_,
         features_.shaped(tower_states_.rows, config_.text.width), scratch_.rows);
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
  for (std::size_t i = 0; i < batch.examples.size(); ++i) {
    const TrainingExample& example = batch.examples[i];
    for (const int picture : example.pictures) {
      if (batch.follows(i)) break;
      copy_rows(features_.view().row_range(picture * tokens, tokens), x.row_range(row, tokens));
      row += tokens;
    }
    for (const TokenId id : example.prompt) put(id);
    for (std::size_t token = 0; token + 1 < example.suffix.size(); ++token) put(example.suffix[token]);
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

std::vector<ExampleLoss> TrainingPass::loss(const TrainingBatch& batch, bool with_gradients) {
  const int targets = int(targets_.size()), width = config_.text.width;
  losses_.resize(std::size_t(targets));
  HeadGradients gradients;
  if (with_gradients)
    gradients = {dtargets_.shaped(targets, width), parameters_.gradients().language_tower.head()};
  head_loss(options_.loss, parameters_.weights().language_tower.head(), target_states_, targets_, losses_,
            gradients, logits_);
  std::vector<ExampleLoss> examples;
  std::size_t at = 0;
  for (const TrainingExample& asked : batch.examples) {
    const int count = int(asked.suffix.size());
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
