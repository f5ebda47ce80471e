#pragma once

#include "model/tensor/matrix.h"
#include "model/train/buffer.h"
#include "model/train/tensors.h"

namespace palisade {

// Layers over all rows of a batch, each a forward and a backward. A backward adds to the gradients of weights
// and passes over those without data (frozen ones).

// What layers need while they run and nobody keeps.
struct RowScratch {
  Buffer partial_sums;
  Buffer one_plus;  // Gemma's norm scales
  Buffer low;       // LoRA: as many columns as the rank
};

// y = x W^T + bias, or y += ...
void affine(const Affine& weights, ConstMatrixView x, MatrixView y, RowScratch& scratch);
void affine_add(const Affine& weights, ConstMatrixView x, MatrixView y, RowScratch& scratch);
// Whether affine_weight_gradients() looks at x.
bool reads_input(const Affine& gradients);
void affine_weight_gradients(const Affine& weights, const Affine& gradients, ConstMatrixView x,
                             ConstMatrixView dy, RowScratch& scratch);
// dx = dy W
void affine_input_gradient(const Affine& weights, ConstMatrixView dy, MatrixView dx, RowScratch& scratch);

void layer_norm_rows(const LayerNormTensors& weights, float eps, ConstMatrixView x, MatrixView y);
// Adds to dx.
void layer_norm_rows_backward(const LayerNormTensors& weights, const LayerNormTensors& gradients, float eps,
                              ConstMatrixView x, ConstMatrixView dy, MatrixView dx, RowScratch& scratch);

// x / rms(x) * (1 + weight), with weight [1, width]
void rms_norm_rows(ConstMatrixView weight, float eps, ConstMatrixView x, MatrixView y, RowScratch& scratch);
// Adds to dx.
void rms_norm_rows_backward(ConstMatrixView weight, MatrixView gradient, float eps, ConstMatrixView x,
                            ConstMatrixView dy, MatrixView dx, RowScratch& scratch);

void copy_rows(ConstMatrixView from, MatrixView to);
void add_rows(MatrixView x, ConstMatrixView y);
void fill_rows(MatrixView x, float value);
// sums [1, cols] += the sum of x's rows
void add_column_sums(ConstMatrixView x, MatrixView sums);

}  // namespace palisade
