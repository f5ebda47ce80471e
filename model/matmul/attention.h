#pragma once

#include <algorithm>
#include <optional>
#include <span>

#include "model/tensor/matrix.h"

namespace palisade {

struct AttentionShape {
  int heads = 1;
  int kv_heads = 1;  // query head h uses key/value head h / (heads / kv_heads)
  int head_dim = 1;
  float scale = 1;
  std::optional<float> softcap;  // Gemma 2: cap * tanh(score / cap)
  bool rounded = false;          // operands to 12 bits, where there are instructions for it
};

// Whether a pass over `rows` repays packing keys and values for `rounded`. The whole pass, not the slice in
// hand, whose size depends on the time there is: features and answers must not.
inline constexpr int kMinRoundedRows = 64;  // rows of scores, which all heads share where keys are one head's
inline bool repays_rounding(const AttentionShape& shape, int rows) {
  return rows * (shape.kv_heads == 1 ? shape.heads : 1) >= kMinRoundedRows;
}

// Which keys a query row sees: row i stands at position `first` + i and sees keys [from, to) with
// to = max(prefix, position + 1) and from = max(0, position + 1 - window). With prefix = number of keys
// everything sees everything; prefix-LM is prefix = length of the prefix.
struct Visibility {
  int first = 0;
  int prefix = 0;
  std::optional<int> window;

  int begin(int row) const { return window ? std::max(0, first + row + 1 - *window) : 0; }
  int end(int row) const { return std::max(prefix, first + row + 1); }
};

// Of consecutive positions. [positions, kv_heads * head_dim] each
struct KeysAndValues {
  ConstMatrixView keys;
  ConstMatrixView values;
};

// softmax(q k^T * scale) v for every head. q and out [rows, heads * head_dim]; the positions are those of all
// parts, one after the other. Holds one block of score rows a thread, never rows x positions.
void attend(const AttentionShape& shape, ConstMatrixView q, std::span<const KeysAndValues> parts,
            const Visibility& visibility, MatrixView out);

// Of attend(): the gradients of each part's keys and values are added to `parts`, that of q is written to q,
// which may be the q that was read. Nothing of the forward is kept: scores are computed again, a block of
// rows at a time.
struct KeyValueGradients {
  MatrixView keys;
  MatrixView values;
};
struct AttentionGradients {
  MatrixView q;
  std::span<const KeyValueGradients> parts;
};
void attend_backward(const AttentionShape& shape, ConstMatrixView q, std::span<const KeysAndValues> parts,
                     const Visibility& visibility, ConstMatrixView dout, const AttentionGradients& gradients);

}  // namespace palisade
