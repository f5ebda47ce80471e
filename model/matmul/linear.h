#pragma once

#include <span>

#include "model/matmul/matmul.h"

namespace palisade {

// y = x W^T + b: f32 in, f32 out, whatever its weights are packed as.
class Linear {
 public:
  // `weight` [outputs, inputs]; `bias` [outputs] or empty.
  Linear(const WeightRows& weight, std::span<const float> bias, Precision precision)
      : packed_(weight, bias, precision) {}

  void operator()(ConstMatrixView x, MatrixView y, const RowUse& use = {},
                  const RowAdapters& adapters = {}) const {
    packed_.multiply(x, y, use, adapters);
  }
  // Of x's rows as `rows` began them; where several share them, this is the one of this index to an adapter.
  void operator()(const MatmulRows& x, MatrixView y, const RowUse& use = {}, int linear = 0) const {
    packed_.multiply(x, y, use, linear);
  }
  MatmulRows rows(int count, const RowAdapters& adapters = {}) const {
    return MatmulRows(packed_, count, adapters);
  }
  int outputs() const { return packed_.outputs(); }
  bool rounds() const { return packed_.rounds(); }

 private:
  PackedMatrix packed_;
};

}  // namespace palisade
