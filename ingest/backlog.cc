#include "ingest/backlog.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/format.h"

namespace palisade {
namespace {

using Seconds = std::chrono::duration<double>;

constexpr std::size_t kMinFrames = 8;  // frames needed for a verdict
constexpr std::size_t kMaxKept = 512;  // frames that are kept
constexpr std::chrono::milliseconds kSilence{1'000};
constexpr int kSilentIntervals = 8;
// No camera's clock is slower than this factor, or faster than its inverse.
constexpr double kSlowest = 0.5;
constexpr double kFastest = 2;
constexpr double kSamePace = 0.1;
constexpr double kCatchesUp = 4;
// Random deviation of a frame, in seconds.
constexpr double kChance = 1e-3;
// One explanation must fit this much better than the other.
constexpr double kNearer = 0.8;
// A reader that waits for its camera for less than this share of the time does not keep up.
constexpr double kMinWaited = 0.02;

}  // namespace

void Backlog::check(MediaTime pts, MonotonicTime arrival, const Intake& intake,
                    std::chrono::milliseconds allowed) {
  const MediaTime delay = arrival.time_since_epoch() - pts;
  if (!window_.empty()) end_at_silence(arrival);
  least_ = window_.empty() ? delay : std::min(least_, delay);
  window_.push_back({arrival, pts, intake});
  if (!base_ || delay < *base_) base_ = delay;
  if (window_.size() >= kMinFrames && arrival - window_.front().arrival >= allowed / 10) judge();
  if (window_.size() >= kMaxKept) thin_out();
  const MediaTime late = delay - *base_;
  if (late <= allowed) return;
  const auto late_ms = std::chrono::floor<std::chrono::milliseconds>(late).count();
  throw SourceError(SourceFault::kStalled,
                    format("frames come {} ms late: network or machine is too slow; opened anew", late_ms));
}

// After a burst faster than the camera's rate, a silence means that nothing is waiting any more.
void Backlog::end_at_silence(MonotonicTime arrival) {
  const auto since = arrival - window_.back().arrival;
  const auto usual = (window_.back().arrival - window_.front().arrival) / std::int64_t(window_.size());
  if (since <= kSilence || since <= kSilentIntervals * usual) return;
  if (window_.size() >= kMinFrames && pace() > kCatchesUp) base_ = least_;
  window_.clear();
}

void Backlog::judge() {
  const Verdict found = verdict();
  if (found == Verdict::kNothingWaits || (found == Verdict::kUnclear && as_at_first())) base_ = least_;
  const Arrival last = window_.back();
  window_ = {last};
  least_ = last.arrival.time_since_epoch() - last.pts;
}

void Backlog::thin_out() {
  std::vector<Arrival> kept;
  for (std::size_t i = 0; i < window_.size(); i += 2) kept.push_back(window_[i]);
  window_ = std::move(kept);
}

double Backlog::pace() const {
  const double time = Seconds(window_.back().arrival - window_.front().arrival).count();
  return Seconds(window_.back().pts - window_.front().pts).count() / std::max(time, 1e-9);
}

bool Backlog::as_at_first() {
  const double now = pace();
  if (now < kSlowest || now > kFastest) return false;
  if (!first_pace_) first_pace_ = now;
  return std::abs(now - *first_pace_) <= kSamePace * *first_pace_;
}

Backlog::Verdict Backlog::verdict() const {
  const Arrival& first = window_.front();
  const Arrival& last = window_.back();
  const double time = Seconds(last.arrival - first.arrival).count();
  if (first.intake.waited && last.intake.waited) {
    const double waited = Seconds(*last.intake.waited - *first.intake.waited).count();
    if (waited < kMinWaited * time) return Verdict::kPilesUp;
  }
  const double media = Seconds(last.pts - first.pts).count();
  const auto bytes = double(last.intake.bytes - first.intake.bytes);
  if (bytes <= 0 || pace() < kSlowest) return Verdict::kUnclear;
  // Distance of arrivals from those predicted by timestamps, and from those predicted by bytes.
  double off_stamps = kChance * double(window_.size());
  double off_bytes = off_stamps;
  for (const Arrival& seen : window_) {
    const double at = Seconds(seen.arrival - first.arrival).count();
    off_stamps += std::abs(Seconds(seen.pts - first.pts).count() * time / media - at);
    off_bytes += std::abs(double(seen.intake.bytes - first.intake.bytes) * time / bytes - at);
  }
  if (off_stamps < kNearer * off_bytes) return Verdict::kNothingWaits;
  return off_bytes < kNearer * off_stamps ? Verdict::kPilesUp : Verdict::kUnclear;
}

}  // namespace palisade
