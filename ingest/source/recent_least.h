#pragma once

#include <algorithm>
#include <optional>

#include "base/clock.h"

namespace palisade {

// The minimum of the values of the last one to two periods. Old values expire only when a new one is added,
// so that they survive a pause of up to ten periods.
class RecentLeast {
 public:
  explicit RecentLeast(MonotonicTime::duration period) : period_(period) {}

  void add(MediaTime value, MonotonicTime now) {
    if (last_ && now - *last_ > 10 * period_) clear();
    last_ = now;
    if (!since_ || now - *since_ > period_) {
      before_ = least_;
      least_.reset();
      since_ = now;
    }
    least_ = least_ ? std::min(*least_, value) : value;
  }
  std::optional<MediaTime> value() const { return before_ && least_ ? std::min(before_, least_) : least_; }
  void clear() {
    since_.reset();
    before_.reset();
    least_.reset();
  }

 private:
  MonotonicTime::duration period_;
  std::optional<MonotonicTime> last_;
  std::optional<MonotonicTime> since_;
  std::optional<MediaTime> least_;   // minimum since since_
  std::optional<MediaTime> before_;  // minimum of the period before since_
};

}  // namespace palisade
