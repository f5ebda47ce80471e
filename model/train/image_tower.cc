#include "model/train/image_tower.h"

#include <algorithm>

#include "model/kernels/kernels.h"
#include "model/siglip/image_encoder.h"

namespace palisade {

ConstMatrixView ImageTower::forward(const std::vector<Matrix>& pictures, bool keep) {
  const ImageTowerTensors& weights = parameters_.weights().image_tower;
  const VisionConfig& config = parameters_.config().vision;
  const EncoderShape shape = encoder_shape_of(config);
  const int tokens = config.tokens(), rows = int(pictures.size()) * tokens;
  blocks_.resize(std::max(blocks_.size(), std::size_t(keep ? config.layers : 1)));

  const MatrixView patches = patches_.shaped(rows, weights.patch_embedding.weight.cols);
  write_patches(config, pictures, patches);
  MatrixView x = blocks_[0].x.shaped(rows, config.width);
  affine(weights.patch_embedding, patches, x, scratch_.rows);
  for (int row = 0; row < rows; ++row) add(x.row(row), weights.positions.row(row % tokens));
  const MatrixView out = out_.shaped(rows, config.width);
  for (int layer = 0; layer < config.layers; ++layer) {
    const bool last = layer + 1 == config.layers;
    const MatrixView next = last   ? out
                            : keep ? blocks_[std::size_t(layer) + 1].x.shaped(rows, config.width)
                                   : x;
    encoder_block(shape, weights.blocks[std::size_t(layer)], tokens, blocks_[keep ? std::size_t(layer) : 0],
                  scratch_, next);
  }
  const MatrixView normed = normed_.shaped(rows, config.width);
  layer_norm_rows(weights.final_norm, config.layer_norm_eps, out, normed);
  return normed;
}

void ImageTower::backward(ConstMatrixView dout) {
  const ImageTowerTensors& weights = parameters_.weights().image_tower;
  const ImageTowerTensors& gradients = gradients_.image_tower;
  const VisionConfig& config = parameters_.config().vision;
  const EncoderShape shape = encoder_shape_of(config);
  const int tokens = config.tokens(), rows = dout.rows;
  const MatrixView dx = dx_.shaped(rows, config.width);
  fill_rows(dx, 0);
  layer_norm_rows_backward(weights.final_norm, gradients.final_norm, config.layer_norm_eps, out_, dout, dx,
                           scratch_.rows);
  for (int layer = config.layers; layer-- > 0;) {
    const auto index = std::size_t(layer);
    encoder_block_backward(shape, weights.blocks[index], gradients.blocks[index], tokens, blocks_[index],
                           scratch_, dx);
  }
  for (int row = 0; gradients.positions.data && row < rows; ++row)
    add(gradients.positions.row(row % tokens), dx.row(row));
  affine_weight_gradients(weights.patch_embedding, gradients.patch_embedding, patches_, dx, scratch_.rows);
}

}  // namespace palisade
