#include "model/paligemma/sequence.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace palisade {

Sequence::Sequence(KvCache cache, int vocabulary, std::shared_ptr<const Adapter> adapter)
    : cache_(std::move(cache)), adapter_(std::move(adapter)), logits_(1, vocabulary) {}

void Sequence::bound_logits(float cap) {
  assert(!softcap_);
  softcap_ = cap;
  scan();
}

Sequence Sequence::fork() {
  Sequence copy(cache_.fork(), logits_.cols(), adapter_);
  std::ranges::copy(logits(), copy.logits_.row(0).begin());
  copy.scan_ = scan_;
  copy.softcap_ = softcap_;
  return copy;
}

void Sequence::take(std::span<const float> logits) {
  std::ranges::copy(logits, logits_.row(0).begin());
  scan();
}

void Sequence::scan() {
  scan_ = softcap_ ? bound_and_scan(logits_.row(0), *softcap_) : scan_logits(logits_.row(0));
}

}  // namespace palisade
