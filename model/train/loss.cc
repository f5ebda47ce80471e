#include "model/train/loss.h"

#include <algorithm>
#include <cassert>

#include "model/matmul/matmul.h"

namespace palisade {
namespace {

constexpr int kMaxLogits = 16 << 20;  // 64 MB
constexpr int kMinLossRows = 8;

}  // namespace

void head_loss(const LossOptions& options, ConstMatrixView head_rows, ConstMatrixView hidden,
               std::span<const Target> targets, std::span<TokenLoss> losses, const HeadGradients& gradients,
               Buffer& buffer) {
  assert(hidden.rows == int(targets.size()) && options.vocabulary <= head_rows.rows);
  const int vocabulary = options.vocabulary;
  const ConstMatrixView head = head_rows.row_range(0, vocabulary);
  const int rows = std::max(kMinLossRows, kMaxLogits / vocabulary);
  for (int first = 0; first < hidden.rows; first += rows) {
    const int count = std::min(rows, hidden.rows - first);
    const MatrixView logits = buffer.shaped(count, vocabulary);
    multiply(hidden.row_range(first, count), head, true, 1, 0, logits);
    for_row_ranges(count, 20.0 * count * vocabulary, [&](int, int from, int some) {
      for (int row = from; row < from + some; ++row) {
        const Target& target = targets[std::size_t(first + row)];
        losses[std::size_t(first + row)] =
            cross_entropy(logits.row(row), std::size_t(target.id), options.label_smoothing, target.weight);
      }
    });
    if (!gradients.hidden.data) continue;
    multiply(logits, head, false, 1, 0, gradients.hidden.row_range(first, count));
    if (gradients.head.data) {
      multiply_transposed(logits, hidden.row_range(first, count), 1, 1,
                          gradients.head.row_range(0, vocabulary));
    }
  }
}

}  // namespace palisade
