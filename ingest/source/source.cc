#include "ingest/source/source.h"

#include <algorithm>
#include <utility>

#include "base/format.h"
#include "ingest/source/url.h"

namespace palisade {
namespace {

// The shortest time between two frames that any of the samplings takes.
std::chrono::milliseconds closest_frames(std::span<const Sampling> samplings) {
  constexpr std::chrono::milliseconds kSoonest{100};
  std::chrono::milliseconds closest = std::chrono::hours(1);
  for (const Sampling& sampling : samplings) {
    const bool spans = sampling.count > 1 && sampling.policy == SamplingPolicy::kUniform;
    closest = std::min(closest, spans ? sampling.span / (sampling.count - 1) : sampling.stride);
  }
  return std::max(closest, kSoonest);
}

}  // namespace

std::string SkippedPictures::text() const {
  const std::string count = pictures == 1 ? "a picture was" : format("{} pictures were", pictures);
  return count + " skipped" + (pictures == 1 ? ": " : "; the last: ") + last;
}

void SkippedPictures::add(SkippedPictures more) {
  if (more.pictures == 0) return;
  pictures += more.pictures;
  last = std::move(more.last);
}

SourceOptions decoding_for(std::span<const Sampling> samplings, SourceOptions options) {
  if (scheme_of(options.url).starts_with("http")) options.frame_interval = closest_frames(samplings);
  if (options.decode != Decode::kAsNeeded) return options;
  const bool keyframes = !samplings.empty() && std::ranges::all_of(samplings, [](const Sampling& sampling) {
    return sampling.policy == SamplingPolicy::kKeyframes;
  });
  options.decode = keyframes ? Decode::kKeyframes : Decode::kAll;
  return options;
}

}  // namespace palisade
