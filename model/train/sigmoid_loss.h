#pragma once

#include <span>

#include "model/tensor/matrix.h"

namespace palisade {

// SigLIP's loss (Zhai et al., arXiv 2303.15343): each picture against each text of a batch, a pair or not, by
// the sigmoid of exp(s) z z' + b for embeddings z, z' of length 1.

// Rows of length 1. Returns in `lengths` what they were.
void normalise_rows(MatrixView x, std::span<float> lengths);
// In place: dx of what was given to normalise_rows(), from its result, the lengths and its gradient.
void normalise_rows_backward(ConstMatrixView normalised, std::span<const float> lengths, MatrixView dx);

struct SigmoidGradients {
  MatrixView pictures;
  MatrixView texts;
  MatrixView scale_and_bias;  // added to
};
// pictures and texts [n, width], of length 1; alike[i * n + j]: whether picture i and text j belong together.
// The mean over pictures of the sum over texts; gradients are written.
double sigmoid_loss(ConstMatrixView pictures, ConstMatrixView texts, ConstMatrixView scale_and_bias,
                    std::span<const bool> alike, const SigmoidGradients& gradients);

}  // namespace palisade
