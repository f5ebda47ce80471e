#include "model/paligemma/paligemma.h"

namespace palisade {

namespace {

Segment with_cache(Segment segment, KvCache& cache) {
  segment.cache = &cache;
  return segment;
}

}  // namespace

Prefill::Prefill(const LanguageModel& model, Matrix x, Segment segment, Sequence sequence,
                 const Observer& observer)
    : model_(model),
      x_(std::move(x)),
      sequence_(std::move(sequence)),
      pass_(model, x_, {with_cache(std::move(segment), sequence_.cache_)}, observer, x_.rows() - 1) {}

// The head's weights, the largest of all, are a slice of their own.
bool Prefill::advance(double operations) {
  if (passed_) {
    const Adapter* const adapter = sequence_.adapter_.get();
    model_.logits(x_.view().row_range(x_.rows() - 1, 1), sequence_.logits_,
                  adapter != nullptr ? rows_of(adapter->language.head, 1) : RowAdapters());
    sequence_.scan();
    return false;
  }
  passed_ = !pass_.advance(operations);
  return true;
}

Sequence Prefill::finish() {
  return std::move(sequence_);
}

}  // namespace palisade
