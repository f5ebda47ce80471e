#include "model/train/image_stage.h"

#include <algorithm>
#include <cassert>
#include <numeric>

#include "model/kernels/kernels.h"
#include "model/siglip/image_encoder.h"
#include "model/tensor/eigen.h"
#include "model/train/kernels.h"
#include "model/train/sigmoid_loss.h"

namespace palisade {
namespace {

TokenId token_at(const std::vector<TokenId>& caption, int place) {
  constexpr TokenId kPad = 0;
  return place < int(caption.size()) ? caption[std::size_t(place)] : kPad;
}

// Each row the mean of `tokens` rows.
Matrix means_of(ConstMatrixView x, int rows, int tokens) {
  Matrix means(rows, x.cols);
  for (int row = 0; row < rows; ++row)
    array_of(means.view()).row(row) = array_of(x).middleRows(row * tokens, tokens).colwise().mean();
  return means;
}

// The backward of means_of(): added to dx.
void spread_means(ConstMatrixView dmeans, int tokens, MatrixView dx) {
  for (int row = 0; row < dmeans.rows; ++row)
    array_of(dx).middleRows(row * tokens, tokens).rowwise() += array_of(dmeans).row(row) / float(tokens);
}

}  // namespace

ImageStage::ImageStage(Parameters& parameters, std::vector<PatchLabel> labels)
    : parameters_(parameters),
      labels_(std::move(labels)),
      tower_(parameters, parameters.gradients(), scratch_) {
  assert(parameters.weights().image_stage.patch_head.weight.rows == classes_of(labels_));
}

int ImageStage::classes_of(std::span<const PatchLabel> labels) {
  return std::accumulate(labels.begin(), labels.end(), 0,
                         [](int sum, const PatchLabel& label) { return sum + label.classes; });
}

ImageStageLoss ImageStage::accumulate(const ImageStageBatch& batch, double sigmoid_weight) {
  return run(batch, sigmoid_weight, true);
}

ImageStageLoss ImageStage::evaluate(const ImageStageBatch& batch, double sigmoid_weight) {
  return run(batch, sigmoid_weight, false);
}

ImageStageLoss ImageStage::run(const ImageStageBatch& batch, double sigmoid_weight, bool learn) {
  const ConstMatrixView states = tower_.forward(batch.pictures, learn);
  ImageStageLoss loss;
  label_loss(batch, states, loss, learn);
  if (!batch.captions.empty() && sigmoid_weight > 0) caption_loss(batch, states, sigmoid_weight, loss, learn);
  if (learn) tower_.backward(dstates_);
  return loss;
}

void ImageStage::label_loss(const ImageStageBatch& batch, ConstMatrixView states, ImageStageLoss& loss,
                            bool learn) {
  const Affine& head = parameters_.weights().image_stage.patch_head;
  const std::size_t kinds = labels_.size();
  assert(batch.labels.size() == std::size_t(states.rows) * kinds);
  std::vector<double> counts(kinds);
  for (std::size_t i = 0; i < batch.labels.size(); ++i) counts[i % kinds] += batch.labels[i] >= 0;

  const MatrixView logits = logits_.shaped(states.rows, head.weight.rows);
  affine(head, states, logits, scratch_.rows);
  std::vector<TokenLoss> losses(batch.labels.size());
  for_row_ranges(states.rows, 30.0 * states.rows * logits.cols, [&](int, int first, int count) {
    for (int row = first; row < first + count; ++row) {
      std::size_t at = 0;
      for (std::size_t kind = 0; kind < kinds; ++kind) {
        const auto classes = std::size_t(labels_[kind].classes);
        const auto own = logits.row(row).subspan(at, classes);
        at += classes;
        const std::size_t place = std::size_t(row) * kinds + kind;
        const int label = batch.labels[place];
        if (label < 0) {
          std::ranges::fill(own, 0.0f);
        } else {
          losses[place] =
              cross_entropy(own, std::size_t(label), 0, float(labels_[kind].weight / counts[kind]));
        }
      }
    }
  });
  loss.right.resize(kinds);
  for (std::size_t i = 0; i < losses.size(); ++i) {
    const std::size_t kind = i % kinds;
    if (batch.labels[i] < 0) continue;
    loss.labels += labels_[kind].weight * losses[i].loss / counts[kind];
    loss.right[kind] += double(losses[i].likeliest) / counts[kind];
  }
  if (!learn) return;
  const Affine& gradients = parameters_.gradients().image_stage.patch_head;
  affine_weight_gradients(head, gradients, states, logits, scratch_.rows);
  affine_input_gradient(head, logits, dstates_.shaped(states.rows, states.cols), scratch_.rows);
}

void ImageStage::caption_loss(const ImageStageBatch& batch, ConstMatrixView states, double weight,
                              ImageStageLoss& loss, bool learn) {
  const ImageStageTensors& weights = parameters_.weights().image_stage;
  const ImageStageTensors& gradients = parameters_.gradients().image_stage;
  const int count = int(batch.captions.size()), width = states.cols;
  const int tokens = parameters_.config().vision.tokens();
  const Matrix pooled = means_of(states, count, tokens);
  Matrix pictures(count, width);
  affine(weights.picture_head, pooled, pictures, scratch_.rows);
  Matrix texts = means_of(text_states(batch), count, kCaptionTokens);
  std::vector<float> picture_lengths(std::size_t(count), 0.0f), text_lengths(std::size_t(count), 0.0f);
  normalise_rows(pictures, picture_lengths);
  normalise_rows(texts, text_lengths);

  const auto alike = std::make_unique<bool[]>(std::size_t(count) * std::size_t(count));
  for (int i = 0; i < count; ++i) {
    for (int j = 0; j < count; ++j)
      alike[std::size_t(i * count + j)] = batch.captions[std::size_t(i)] == batch.captions[std::size_t(j)];
  }
  Matrix dpictures(count, width), dtexts(count, width), dscale(1, 2);
  fill_rows(dscale, 0);
  loss.sigmoid =
      sigmoid_loss(pictures, texts, weights.scale_and_bias,
                   {alike.get(), std::size_t(count) * std::size_t(count)}, {dpictures, dtexts, dscale});
  if (!learn) return;
  for (const MatrixView gradient : {dpictures.view(), dtexts.view(), dscale.view()})
    array_of(gradient) *= float(weight);
  add(gradients.scale_and_bias.row(0), dscale.row(0));
  normalise_rows_backward(pictures, picture_lengths, dpictures);
  normalise_rows_backward(texts, text_lengths, dtexts);
  affine_weight_gradients(weights.picture_head, gradients.picture_head, pooled, dpictures, scratch_.rows);
  Matrix dpooled(count, width);
  affine_input_gradient(weights.picture_head, dpictures, dpooled, scratch_.rows);
  spread_means(dpooled, tokens, dstates_);
  const MatrixView dtext = dtext_.shaped(count * kCaptionTokens, width);
  fill_rows(dtext, 0);
  spread_means(dtexts, kCaptionTokens, dtext);
  text_backward(batch, dtext);
}

// One block, in which all tokens see each other, padding too, as in SigLIP. [captions * kCaptionTokens,
// width]
ConstMatrixView ImageStage::text_states(const ImageStageBatch& batch) {
  const ImageStageTensors& weights = parameters_.weights().image_stage;
  const VisionConfig& config = parameters_.config().vision;
  const int rows = int(batch.captions.size()) * kCaptionTokens;
  const MatrixView x = text_block_.x.shaped(rows, config.width);
  for (int row = 0; row < rows; ++row) {
    const int place = row % kCaptionTokens;
    const TokenId id = token_at(batch.captions[std::size_t(row / kCaptionTokens)], place);
    std::ranges::copy(weights.text_embedding.row(id), x.row(row).begin());
    add(x.row(row), weights.text_positions.row(place));
  }
  const MatrixView out = text_out_.shaped(rows, config.width);
  encoder_block(encoder_shape_of(config), weights.text_block, kCaptionTokens, text_block_, scratch_, out);
  const MatrixView states = text_states_.shaped(rows, config.width);
  layer_norm_rows(weights.text_norm, config.layer_norm_eps, out, states);
  return states;
}

void ImageStage::text_backward(const ImageStageBatch& batch, ConstMatrixView dstates) {
  const ImageStageTensors& weights = parameters_.weights().image_stage;
  const ImageStageTensors& gradients = parameters_.gradients().image_stage;
  const VisionConfig& config = parameters_.config().vision;
  const int rows = dstates.rows;
  Matrix dx(rows, config.width);
  fill_rows(dx, 0);
  layer_norm_rows_backward(weights.text_norm, gradients.text_norm, config.layer_norm_eps, text_out_, dstates,
                           dx, scratch_.rows);
  encoder_block_backward(encoder_shape_of(config), weights.text_block, gradients.text_block, kCaptionTokens,
                         text_block_, scratch_, dx);
  for (int row = 0; row < rows; ++row) {
    const int place = row % kCaptionTokens;
    const TokenId id = token_at(batch.captions[std::size_t(row / kCaptionTokens)], place);
    add(gradients.text_embedding.row(id), dx.row(row));
    add(gradients.text_positions.row(place), dx.row(row));
  }
}

}  // namespace palisade
