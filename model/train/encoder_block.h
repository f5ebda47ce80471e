#pragma once

#include "model/siglip/encoder_layers.h"
#include "model/train/buffer.h"
#include "model/train/row_layers.h"
#include "model/train/tensors.h"

namespace palisade {

// What the backward of one SigLIP block needs of its forward. Norms and activations are computed again.
struct EncoderBlockActivations {
  Buffer x;       // the block's input [rows, width]
  Buffer qkv;     // [rows, 3 width]
  Buffer heads;   // what attention gives [rows, width]
  Buffer middle;  // between attention and MLP [rows, width]
  Buffer hidden;  // before gelu [rows, mlp_width]
};

// Shared by all blocks of a tower.
struct BlockScratch {
  RowScratch rows;
  Buffer normed;
  Buffer mixed;
  Buffer wide;  // as wide as the MLP
  Buffer dheads;
  Buffer dqkv;
  Buffer dkv;  // Gemma
};

// activations.x [sequences * tokens, width] -> out, which may be activations.x. Every token of a sequence
// sees every other (model/siglip/encoder_layers.cc runs the same in slices).
void encoder_block(const EncoderShape& shape, const EncoderBlockTensors& weights, int tokens,
                   EncoderBlockActivations& activations, BlockScratch& scratch, MatrixView out);
// dx is the gradient of out, and becomes that of activations.x. The activations are used up.
void encoder_block_backward(const EncoderShape& shape, const EncoderBlockTensors& weights,
                            const EncoderBlockTensors& gradients, int tokens,
                            EncoderBlockActivations& activations, BlockScratch& scratch, MatrixView dx);

}  // namespace palisade
