#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "service/engine/request.h"

namespace palisade {

// What the engine's work costs on this machine, learnt from its answers: seconds for each piece.
struct AnswerCosts {
  double encode_image = 0;
  double prefill_token = 0;
  double decode_token = 0;  // as it is with the answers that are usually stepped together
};

// How busy the engine was, and for whom.
struct EngineLoad {
  double used = 0;                       // seconds of work for each second; at most 1
  std::map<std::string, double> shares;  // of that, by stream; "" are people
};

// Seconds that a stage took: half of the answers took less than p50, 95 % less than p95.
struct StageTimes {
  double p50 = 0;
  double p95 = 0;
};
struct AnswerStages {
  std::size_t answers = 0;  // that were looked at
  StageTimes wait, encode, prefill, decode;
};

// Watches the engine. The engine's thread tells, any thread asks.
class AnswerMeter {
 public:
  static constexpr std::chrono::seconds kSpan{120};  // of the load
  static constexpr std::size_t kAnswers = 512;       // of stages and costs

  explicit AnswerMeter(MonotonicTime now = std::chrono::steady_clock::now()) : begun_(now) {}

  // The engine worked for `time` until `now`.
  void worked(MonotonicTime::duration time, MonotonicTime now);
  // An answer is complete; not one that failed.
  void answered(const Request& request, const Reply& reply, MonotonicTime now);

  EngineLoad load(MonotonicTime now) const;
  AnswerStages stages() const;
  // Nothing before the first answer that was decoded.
  std::optional<AnswerCosts> costs() const;

 private:
  struct Work {
    MonotonicTime at;
    double seconds = 0;
  };
  struct Seen {
    MonotonicTime at;
    std::string stream;
    AnswerTiming timing;
    int images = 0;           // encoded
    int prefilled = 0;        // image tokens read
    std::size_t decoded = 0;  // tokens
  };
  double worked_since(MonotonicTime time) const;  // the caller holds mutex_

  const MonotonicTime begun_;
  mutable std::mutex mutex_;
  std::deque<Work> work_;  // guarded by mutex_; a second each
  std::deque<Seen> seen_;  // guarded by mutex_
};

// Tells a meter, where there is one, how long its scope took.
class MeteredWork {
 public:
  explicit MeteredWork(AnswerMeter* meter) : meter_(meter) {}
  ~MeteredWork() {
    const auto now = std::chrono::steady_clock::now();
    if (meter_ != nullptr) meter_->worked(now - begun_, now);
  }
  MeteredWork(const MeteredWork&) = delete;
  MeteredWork& operator=(const MeteredWork&) = delete;

 private:
  AnswerMeter* const meter_;
  const MonotonicTime begun_ = std::chrono::steady_clock::now();
};

}  // namespace palisade
