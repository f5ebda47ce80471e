#include "model/paligemma.h"

namespace palisade {

Prefill::Prefill(const LanguageModel& model, Matrix x, int capacity, int vocabulary, const Observer& observer)
    : model_(model),
      x_(std::move(x)),
      sequence_(model.make_cache(capacity), vocabulary),
      pass_(model, x_, {{.cache = &sequence_.cache_, .rows = x_.rows(), .prefix = x_.rows()}}, observer) {}

// The head's weights, the largest of all, are a slice of their own.
bool Prefill::advance(double operations) {
  if (passed_) {
    model_.logits(x_.view().row_range(x_.rows() - 1, 1), sequence_.logits_);
    return false;
  }
  passed_ = !pass_.advance(operations);
  return true;
}

Sequence Prefill::finish() {
  return std::move(sequence_);
}

}  // namespace palisade
