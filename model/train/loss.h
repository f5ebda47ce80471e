#pragma once

#include <span>

#include "model/tensor/matrix.h"
#include "model/token_id.h"
#include "model/train/buffer.h"
#include "model/train/kernels.h"

namespace palisade {

struct LossOptions {
  float label_smoothing = 0;  // the right token gets 1 - this, all others share it
  int vocabulary = 0;         // ids below it compete; big_vision: those below <image>
};

// One row that predicts a token, and its weight in the batch's loss.
struct Target {
  TokenId id = 0;
  float weight = 0;
};

// The head and the loss, forward and backward at once, some rows at a time, so that the logits of all
// rows are never held. hidden [targets, width] -> each row's cross-entropy in `losses`; the gradient of the
// weighted sum goes to dhidden, and is added to that of the head where that has data. Without data in
// dhidden: the losses alone.
struct HeadGradients {
  MatrixView hidden;
  MatrixView head;
};
void head_loss(const LossOptions& options, ConstMatrixView head_rows, ConstMatrixView hidden,
               std::span<const Target> targets, std::span<TokenLoss> losses, const HeadGradients& gradients,
               Buffer& logits);

}  // namespace palisade
