#include <algorithm>

#include "model/paligemma.h"

namespace palisade {
namespace {

// About 50 ms of two cores in f32.
constexpr double kSliceOperations = 1.5e10;
constexpr int kFewestRows = 64;  // fewer leave the weights' stream through the caches unpaid

// Of half a layer, the larger half.
double operations_of_row(const TextConfig& config) {
  return 2.0 * config.width * (3.0 * config.mlp_width + double(config.heads) * config.head_dim);
}

}  // namespace

Prefill::Prefill(const LanguageModel& model, Matrix x, int capacity, int vocabulary, const Observer& observer)
    : model_(model),
      x_(std::move(x)),
      sequence_(model.make_cache(capacity), vocabulary),
      pass_(model, x_, {{.cache = &sequence_.cache_, .rows = x_.rows(), .prefix = x_.rows()}}, observer),
      slice_rows_(std::max(kFewestRows, int(kSliceOperations / operations_of_row(model.config())))) {}

bool Prefill::advance() {
  return pass_.advance(slice_rows_);
}

Sequence Prefill::finish() {
  model_.logits(x_.view().row_range(x_.rows() - 1, 1), sequence_.logits_);
  return std::move(sequence_);
}

}  // namespace palisade
