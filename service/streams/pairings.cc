#include "service/streams/pairings.h"

#include <utility>

namespace palisade {

void Pairings::begin(const std::string& id, std::chrono::milliseconds allowed_gap, Deliver deliver,
                     Miss miss) {
  auto pairing = std::make_shared<Pairing>(allowed_gap, std::move(deliver), std::move(miss));
  const std::lock_guard lock(mutex_);
  pairings_[id] = std::move(pairing);
}

void Pairings::end(const std::string& id) {
  const std::lock_guard lock(mutex_);
  pairings_.erase(id);
}

void Pairings::offer(const std::string& id, Frame frame, std::vector<Clip> (PairMatcher::*offer_to)(Frame)) {
  std::shared_ptr<Pairing> pairing;
  {
    const std::lock_guard lock(mutex_);
    const auto found = pairings_.find(id);
    if (found == pairings_.end()) return;
    pairing = found->second;
  }
  std::vector<Clip> pairs;
  std::uint64_t missed = 0;
  PairMiss last;
  {
    const std::lock_guard lock(pairing->mutex);
    const std::uint64_t before = pairing->matcher.unmatched();
    pairs = (pairing->matcher.*offer_to)(std::move(frame));
    missed = pairing->matcher.unmatched() - before;
    last = pairing->matcher.last_miss();
  }
  if (missed > 0 && pairing->miss) pairing->miss(missed, last);
  for (Clip& pair : pairs) pairing->deliver(std::move(pair));
}

void Pairings::offer_first(const std::string& id, Frame frame) {
  offer(id, std::move(frame), &PairMatcher::offer_first);
}

void Pairings::offer_second(const std::string& id, Frame frame) {
  offer(id, std::move(frame), &PairMatcher::offer_second);
}

}  // namespace palisade
