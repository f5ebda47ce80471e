#include "frames/pair_matcher.h"

#include <algorithm>
#include <utility>

namespace palisade {
namespace {

std::chrono::microseconds apart(const Frame& a, const Frame& b) {
  return std::chrono::abs(a.stamp.wall - b.stamp.wall);
}

}  // namespace

std::vector<Clip> PairMatcher::offer_first(Frame frame) {
  waiting_.push_back(std::move(frame));
  // A second stream that is silent or far behind must not hold the first one's frames.
  return match(waiting_.size() > kMaxWaiting);
}

std::vector<Clip> PairMatcher::offer_second(Frame frame) {
  held_.push_back(std::move(frame));
  second_came_ = true;
  if (held_.size() > kMaxHeld) held_.pop_front();
  return match(false);
}

// The partner of a frame is known once the second stream has reached its time.
std::vector<Clip> PairMatcher::match(bool even_if_a_nearer_may_come) {
  std::vector<Clip> pairs;
  while (!waiting_.empty()) {
    const Frame& first = waiting_.front();
    const bool reached = !held_.empty() && held_.back().stamp.wall >= first.stamp.wall;
    if (!reached && !even_if_a_nearer_may_come) break;
    even_if_a_nearer_may_come = false;
    const auto nearest =
        std::ranges::min_element(held_, {}, [&](const Frame& second) { return apart(first, second); });
    if (nearest != held_.end() && apart(first, *nearest) <= gap_) {
      const auto span = std::chrono::round<std::chrono::milliseconds>(apart(first, *nearest));
      pairs.push_back({.frames = {first, *nearest}, .sampling = {.count = 2, .span = span}});
    } else {
      ++unmatched_;
      last_miss_ = {.silent = !second_came_, .nearest = {}};
      if (nearest != held_.end()) last_miss_.nearest = nearest->stamp.wall - first.stamp.wall;
    }
    second_came_ = false;
    waiting_.pop_front();
  }
  return pairs;
}

}  // namespace palisade
