#include <algorithm>

#include "model/paligemma/paligemma.h"

namespace palisade {

Prefill::Prefill(const LanguageModel& model, Matrix x, Segment segment, Sequence sequence,
                 const Observer& observer, Continuations continuations)
    : model_(model),
      x_(std::move(x)),
      prompt_rows_(segment.rows),
      sequence_(std::move(sequence)),
      continuations_(std::move(continuations)),
      pass_(model, x_, segments_of(std::move(segment)), observer, prompt_rows_ - 1) {}

// The prompt's, and behind it each continuation's tokens but the last one.
std::vector<Segment> Prefill::segments_of(Segment prompt) {
  std::vector<Segment> segments;
  tails_.reserve(continuations_.size());  // segments point at them
  for (const std::vector<TokenId>& continuation : continuations_) {
    const int rows = int(continuation.size()) - 1;
    tails_.push_back(KvCache::behind(sequence_.cache_, prompt.positions(), rows));
    segments.push_back({.cache = &tails_.back(), .rows = rows, .prefix = 0, .adapter = prompt.adapter});
  }
  prompt.cache = &sequence_.cache_;
  segments.insert(segments.begin(), std::move(prompt));
  return segments;
}

void Prefill::logits_of(int first, int count, MatrixView out) const {
  const Adapter* const adapter = sequence_.adapter_.get();
  model_.logits(x_.view().row_range(first, count), out,
                adapter != nullptr ? rows_of(adapter->language.head, count) : RowAdapters());
}

// The head's weights, the largest of all, are a slice of their own.
bool Prefill::advance(double operations) {
  if (passed_) {
    logits_of(prompt_rows_ - 1, 1, sequence_.logits_);
    sequence_.scan();
    return false;
  }
  passed_ = !pass_.advance(operations);
  return true;
}

std::vector<std::vector<double>> Prefill::continuation_logprobs(std::optional<float> softcap) {
  constexpr int kRowsAtOnce = 16;  // logits of a row are a megabyte
  if (continuations_.empty()) return {};
  // The token after each row of x from the prompt's last one on, which all continuations begin behind.
  std::vector<std::vector<double>> logprobs;
  Matrix first(1, model_.config().vocabulary);
  std::ranges::copy(sequence_.logits(), first.row(0).begin());
  const auto scanned = [&](std::span<float> logits) {
    return Distribution(logits, softcap ? bound_and_scan(logits, *softcap) : scan_logits(logits));
  };
  const Distribution after_prompt = scanned(first.row(0));
  std::vector<std::pair<std::size_t, TokenId>> next;  // of each row behind: whose it is, the token after it
  for (std::size_t i = 0; i < continuations_.size(); ++i) {
    logprobs.push_back({after_prompt.logprob(continuations_[i].front())});
    for (std::size_t token = 1; token < continuations_[i].size(); ++token)
      next.push_back({i, continuations_[i][token]});
  }
  for (int begin = 0; begin < int(next.size()); begin += kRowsAtOnce) {
    const int count = std::min(kRowsAtOnce, int(next.size()) - begin);
    Matrix logits(count, model_.config().vocabulary);
    logits_of(prompt_rows_ + begin, count, logits);
    for (int row = 0; row < count; ++row) {
      const auto& [continuation, token] = next[std::size_t(begin + row)];
      logprobs[continuation].push_back(scanned(logits.row(row)).logprob(token));
    }
  }
  return logprobs;
}

Sequence Prefill::finish() {
  return std::move(sequence_);
}

}  // namespace palisade
