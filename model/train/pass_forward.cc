#include <algorithm>
#include <cassert>
#include <cmath>

#include "model/kernels/kernels.h"
#include "model/train/pass_part.h"

namespace palisade {
namespace {

Matrix copy_of(const Matrix& matrix) {
  Matrix copy(matrix.rows(), matrix.cols());
  copy_rows(matrix, copy);
  return copy;
}

}  // namespace

PassPart::PassPart(const Parameters& parameters, const PaliGemmaTensors& gradients)
    : parameters_(parameters),
      gradients_(gradients),
      config_(parameters.config()),
      rotary_(config_.text),
      image_tower_(parameters, gradients, scratch_) {}

std::vector<ExampleLoss> PassPart::run(const TrainingBatch& batch, const ExampleRange& range,
                                       const PassOptions& options, bool learn) {
  range_ = range;
  examples_ = std::span(batch.examples).subspan(range.first, range.count);
  lay_out(batch, options);
  encode(batch, learn);
  embed(batch);
  decode(learn);
  auto losses = loss(learn);
  if (learn) backward(batch);
  return losses;
}

void PassPart::lay_out(const TrainingBatch& batch, const PassOptions& options) {
  options_ = options;
  sequences_.clear();
  targets_.clear();
  pictures_.clear();
  place_of_.assign(batch.pictures.size(), -1);
  const int tokens = config_.image_tokens();
  int row = 0, longest = 0;
  const auto add_sequence = [&](const SequenceRows& sequence, int before) {
    sequences_.push_back(sequence);
    row += sequence.rows;
    longest = std::max(longest, before + sequence.rows);
  };
  for (std::size_t i = 0; i < examples_.size(); ++i) {
    const TrainingExample& example = examples_[i];
    const bool follows = i > 0 && batch.follows(range_.first + i);
    for (const int picture : example.pictures) {
      int& place = place_of_[std::size_t(picture)];
      if (place < 0) place = int(pictures_.size()), pictures_.push_back(picture);
    }
    assert(!example.prompt.empty() && !example.suffix.empty());
    const int pictures = int(example.pictures.size()) * tokens, prompt = int(example.prompt.size());
    const int targets = int(example.suffix.size());
    if (batch.pictures_alone && !follows)
      add_sequence({.first = row, .rows = pictures, .prefix = pictures}, 0);
    const int own = batch.pictures_alone ? 0 : pictures;
    // The last token is predicted and predicts nothing.
    const int rows = own + prompt + targets - 1;
    const int first_target = int(targets_.size());
    for (const TokenId id : example.suffix)
      targets_.push_back({id, float(example.weight / (targets * options.examples))});
    const int back = !batch.pictures_alone ? 0 : follows ? sequences_.back().shared + 1 : 1;
    add_sequence({.first = row,
                  .rows = rows,
                  .prefix = own + prompt,
                  .shared = back,
                  .asked = targets,
                  .first_asked = first_target},
                 pictures - own);
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

void PassPart::encode(const TrainingBatch& batch, bool keep) {
  if (!parameters_.trains(ModelPart::kImageEncoder)) {
    encode_each(batch);
  } else if (pictures_.size() == batch.pictures.size() && std::ranges::is_sorted(pictures_)) {
    tower_states_ = image_tower_.forward(batch.pictures, keep);
  } else {
    std::vector<Matrix> pictures;
    for (const int picture : pictures_) pictures.push_back(copy_of(batch.pictures[std::size_t(picture)]));
    tower_states_ = image_tower_.forward(pictures, keep);
  }
  affine(parameters_.weights().projection, tower_states_,
         features_.shaped(tower_states_.rows, config_.text.width), scratch_.rows);
}

// Each by itself, so that its bits are the same in every batch, or not at all.
void PassPart::encode_each(const TrainingBatch& batch) {
  const int tokens = config_.image_tokens();
  const MatrixView states = frozen_states_.shaped(int(pictures_.size()) * tokens, config_.vision.width);
  for (std::size_t place = 0; place < pictures_.size(); ++place) {
    const auto picture = std::size_t(pictures_[place]);
    const MatrixView its = states.row_range(int(place) * tokens, tokens);
    if (picture < batch.states.size() && batch.states[picture]) {
      copy_rows(*batch.states[picture], its);
      continue;
    }
    std::vector<Matrix> alone;
    alone.push_back(copy_of(batch.pictures[picture]));
    copy_rows(image_tower_.forward(alone, false), its);
  }
  tower_states_ = states;
}

ConstMatrixView PassPart::image_states(int picture) const {
  const auto index = std::size_t(picture);
  if (index >= place_of_.size() || place_of_[index] < 0) return {};
  return tower_states_.row_range(first_feature(picture), config_.image_tokens());
}

int PassPart::first_feature(int picture) const {
  return place_of_[std::size_t(picture)] * config_.image_tokens();
}

void PassPart::embed(const TrainingBatch& batch) {
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
  for (std::size_t i = 0; i < examples_.size(); ++i) {
    const TrainingExample& example = examples_[i];
    const bool follows = i > 0 && batch.follows(range_.first + i);
    for (const int picture : example.pictures) {
      if (follows) break;
      copy_rows(features_.view().row_range(first_feature(picture), tokens), x.row_range(row, tokens));
      row += tokens;
    }
    for (const TokenId id : example.prompt) put(id);
    for (std::size_t token = 0; token + 1 < example.suffix.size(); ++token) put(example.suffix[token]);
  }
}

DecoderPass PassPart::decoder_pass() {
  return {config_.text, sequences_, rotary_table_, options_.dropout, scratch_};
}

void PassPart::decode(bool keep) {
  const TextConfig& config = config_.text;
  const LanguageTowerTensors& weights = parameters_.weights().language_tower;
  const MatrixView x = decoder_[0].x;
  const int rows = x.rows;
  if (keep) decoder_.resize(std::max(decoder_.size(), std::size_t(config.layers)));
  const int targets = int(targets_.size());
  const MatrixView out = targets_in_.shaped(targets, config.width);
  const DecoderPass pass = decoder_pass();
  for (int layer = 0; layer < config.layers; ++layer) {
    const bool last = layer + 1 == config.layers;
    const MatrixView next = last   ? out
                            : keep ? decoder_[std::size_t(layer) + 1].x.shaped(rows, config.width)
                                   : x;
    decoder_block(pass, layer, weights.blocks[std::size_t(layer)], decoder_[keep ? std::size_t(layer) : 0],
                  next);
  }
  rms_norm_rows(weights.final_norm, config.rms_norm_eps, out, target_states_.shaped(targets, config.width),
                scratch_.rows);
}

std::vector<ExampleLoss> PassPart::loss(bool with_gradients) {
  const int targets = int(targets_.size()), width = config_.text.width;
  losses_.resize(std::size_t(targets));
  HeadGradients gradients;
  if (with_gradients) gradients = {dtargets_.shaped(targets, width), gradients_.language_tower.head()};
  head_loss(options_.loss, parameters_.weights().language_tower.head(), target_states_, targets_, losses_,
            gradients, logits_);
  std::vector<ExampleLoss> examples;
  std::size_t at = 0;
  for (const TrainingExample& asked : examples_) {
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
