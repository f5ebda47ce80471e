#include "service/streams/clip_gate.h"

#include <algorithm>
#include <cmath>

#include "model/paligemma/similarity.h"

namespace palisade {
namespace {

// After a change, the threshold t of the next comparison is raised to t + kHysteresis * (1 - t).
constexpr double kHysteresis = 0.25;

}  // namespace

std::optional<double> similarity(std::span<const ImageFeatures> a, std::span<const ImageFeatures> b) {
  if (a.size() != b.size() || a.empty()) return std::nullopt;
  double least = 1;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double one = image_similarity(*a[i], *b[i]);
    if (std::isnan(one)) return std::nullopt;
    least = std::min(least, one);
  }
  return least;
}

// Also true if media time has gone back, as it does on a new connection.
bool ClipGate::silent_too_long(MediaTime now) const {
  const std::int64_t asked_at = asked_at_ns_;
  return asked_at < 0 || now.count() < asked_at || now - MediaTime(asked_at) >= settings_.longest_silence;
}

bool ClipGate::passes(const Clip& clip) {
  const MediaTime end = latest(clip).stamp.pts;
  if (settings_.motion && !clip.moving.value_or(true) && !silent_too_long(end)) return false;
  if (!settings_.semantic) asked_at_ns_ = end.count();
  return true;
}

ClipGate::Verdict ClipGate::compare(const Clip& clip, std::span<const ImageFeatures> features) {
  if (!settings_.semantic) return {};
  const MediaTime end = latest(clip).stamp.pts;
  const double least = *settings_.semantic + (was_unchanged_ ? 0 : kHysteresis * (1 - *settings_.semantic));
  Verdict verdict{.similarity = similarity(features, asked_)};
  verdict.unchanged = verdict.similarity && *verdict.similarity >= least && !silent_too_long(end);
  was_unchanged_ = verdict.unchanged;
  if (!verdict.unchanged) {
    asked_.assign(features.begin(), features.end());
    asked_at_ns_ = end.count();
  }
  return verdict;
}

void ClipGate::forget() {
  asked_.clear();
  asked_at_ns_ = -1;
}

}  // namespace palisade
