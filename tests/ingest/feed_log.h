#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "ingest/feed.h"

namespace palisade::test {

// Collects the clips and reports of a Feed. The feed's thread writes, and the test's thread can wait for
// them.
class FeedLog {
 public:
  Feed::OnClip on_clip() {
    return [this](Clip clip, std::size_t sampling) {
      const std::lock_guard lock(mutex_);
      clips_.emplace_back(sampling, std::move(clip));
      changed_.notify_all();
    };
  }
  Feed::OnReport on_report() {
    return [this](const FeedReport& report) {
      const std::lock_guard lock(mutex_);
      reports_.push_back(report);
      changed_.notify_all();
    };
  }

  using Reports = std::vector<FeedReport>;
  using Clips = std::vector<std::pair<std::size_t, Clip>>;

  Reports reports() const {
    const std::lock_guard lock(mutex_);
    return reports_;
  }
  Clips clips() const {
    const std::lock_guard lock(mutex_);
    return clips_;
  }
  std::vector<FeedState> states() const {
    std::vector<FeedState> states;
    for (const FeedReport& report : reports()) states.push_back(report.state);
    return states;
  }
  int count(FeedState state) const {
    int n = 0;
    for (const FeedState seen : states()) n += seen == state;
    return n;
  }

  // Waits until the condition holds; false if it does not after a long time.
  bool wait_for(FeedState state, int times = 1) {
    return wait([this, state, times] {
      int n = 0;
      for (const FeedReport& report : reports_) n += report.state == state;
      return n >= times;
    });
  }
  bool wait_for_clips(std::size_t count) {
    return wait([this, count] { return clips_.size() >= count; });
  }

 private:
  bool wait(const std::function<bool()>& there) {
    std::unique_lock lock(mutex_);
    // By the system clock, because the thread sanitizer does not support waiting by the steady clock.
    return changed_.wait_until(lock, std::chrono::system_clock::now() + std::chrono::seconds(20), there);
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Reports reports_;
  Clips clips_;
};

}  // namespace palisade::test

template <>
struct doctest::StringMaker<std::vector<palisade::FeedState>> {
  static doctest::String convert(const std::vector<palisade::FeedState>& states) {
    std::string text;
    for (const palisade::FeedState state : states) text += std::string(name_of(state)) + " ";
    return text.c_str();
  }
};
