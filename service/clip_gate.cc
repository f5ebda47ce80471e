#include "service/clip_gate.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace palisade {
namespace {

// A window that follows a change must be this share of what is missing to 1 more alike to pass for unchanged.
constexpr double kHysteresis = 0.25;

double cosine(std::span<const float> a, std::span<const float> b) {
  // Several sums, so that one addition need not wait for the other.
  constexpr std::size_t kSums = 8;
  std::array<float, kSums> ab{}, aa{}, bb{};
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab[i % kSums] += a[i] * b[i];
    aa[i % kSums] += a[i] * a[i];
    bb[i % kSums] += b[i] * b[i];
  }
  const auto total = [](const auto& sums) {
    double sum = 0;
    for (const float part : sums) sum += part;
    return sum;
  };
  return total(ab) / std::sqrt(total(aa) * total(bb));
}

double frame_similarity(const Matrix& a, const Matrix& b) {
  std::vector<double> cosines;
  for (int token = 0; token < a.rows(); ++token) {
    cosines.push_back(cosine(a.row(token), b.row(token)));
    if (std::isnan(cosines.back())) return cosines.back();
  }
  const std::size_t least = std::max<std::size_t>(1, cosines.size() / 64);
  std::ranges::partial_sort(cosines, cosines.begin() + std::ptrdiff_t(least));
  double sum = 0;
  for (std::size_t i = 0; i < least; ++i) sum += cosines[i];
  return sum / double(least);
}

}  // namespace

std::optional<double> similarity(std::span<const ImageFeatures> a, std::span<const ImageFeatures> b) {
  if (a.size() != b.size() || a.empty()) return std::nullopt;
  double least = 1;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i]->rows() != b[i]->rows() || a[i]->cols() != b[i]->cols()) return std::nullopt;
    const double one = frame_similarity(*a[i], *b[i]);
    if (std::isnan(one)) return std::nullopt;
    least = std::min(least, one);
  }
  return least;
}

// Also on a new connection, whose time begins anew.
bool ClipGate::silent_too_long(MediaTime now) const {
  const std::int64_t asked_at = asked_at_ns_;
  return asked_at < 0 || now.count() < asked_at || now - MediaTime(asked_at) >= settings_.longest_silence;
}

bool ClipGate::passes(const Clip& clip) {
  const MediaTime end = clip.frames.back().stamp.pts;
  if (settings_.motion && !clip.moving.value_or(true) && !silent_too_long(end)) return false;
  if (!settings_.semantic) asked_at_ns_ = end.count();
  return true;
}

ClipGate::Verdict ClipGate::compare(const Clip& clip, std::span<const ImageFeatures> features) {
  if (!settings_.semantic) return {};
  const MediaTime end = clip.frames.back().stamp.pts;
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
