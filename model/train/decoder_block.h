#pragma once

#include <span>

#include "model/config/model_config.h"
#include "model/matmul/attention.h"
#include "model/train/buffer.h"
#include "model/train/dropout.h"
#include "model/train/encoder_block.h"
#include "model/train/tensors.h"

namespace palisade {

// One sequence among the rows of a batch: rows [first, first + rows); those up to `prefix` see each other
// both ways, later ones are causal. Where `shared` is not 0, all rows of the sequence that many places before
// stand in front of it: its rows see them and go on from their positions, but not the other way round.
struct SequenceRows {
  int first = 0;
  int rows = 0;
  int prefix = 0;
  int shared = 0;
  int asked = 0;        // of its last rows, those that predict something
  int first_asked = 0;  // where they stand among the asked rows of all sequences
};

// cosines and sines [positions, head_dim / 2] of RoPE
struct RotaryTable {
  Matrix cosines;
  Matrix sines;
  Matrix negated_sines;  // to turn back
};

// What the backward of one Gemma block needs of its forward.
struct DecoderBlockActivations {
  Buffer x;   // the block's input [rows, width]
  Buffer q;   // after RoPE [rows, heads * head_dim]
  Buffer kv;  // keys after RoPE, then values [rows, 2 * kv_heads * head_dim]
  // From here on `rows` are all rows, or in the last block those alone that predict a token of a suffix.
  Buffer heads;          // what attention gives [rows, heads * head_dim]
  Buffer attention_mix;  // Gemma 2: before its norm [rows, width]
  Buffer middle;         // between attention and MLP [rows, width]
  Buffer gate_up;        // [rows, 2 mlp_width]
  Buffer mlp_mix;        // Gemma 2: before its norm [rows, width]
};

// What all blocks of a pass share.
struct DecoderPass {
  const TextConfig& config;
  std::span<const SequenceRows> sequences;
  const RotaryTable& rotary;
  Dropout dropout;  // of this batch
  BlockScratch& scratch;
};

// activations.x -> out [rows, width], which may be activations.x, or [asked rows of all sequences, width]:
// nothing is asked of the other rows of the last block but their keys and values
// (model/gemma/language_pass.cc runs the same in slices with a cache).
void decoder_block(const DecoderPass& pass, int layer, const DecoderBlockTensors& weights,
                   DecoderBlockActivations& activations, MatrixView out);
// dout is the gradient of out, and dx becomes that of activations.x; both are the same rows where out had
// all. dout and the activations are used up.
void decoder_block_backward(const DecoderPass& pass, int layer, const DecoderBlockTensors& weights,
                            const DecoderBlockTensors& gradients, DecoderBlockActivations& activations,
                            MatrixView dout, MatrixView dx);

}  // namespace palisade
