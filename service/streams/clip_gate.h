#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "frames/clip.h"
#include "model/paligemma/paligemma.h"
#include "service/settings/settings.h"

namespace palisade {

// How alike two windows are: the least image_similarity() of two frames in the same place. Nothing where they
// differ in size.
std::optional<double> similarity(std::span<const ImageFeatures> a, std::span<const ImageFeatures> b);

// Says of one sampling's clips which are worth asking about. Owned by its ServedStream. Holds the features of
// the window answered last, with the semantic gate (PaliGemma at 224: 2 MB a frame).
class ClipGate {
 public:
  explicit ClipGate(GateSettings settings) : settings_(std::move(settings)) {}

  // On the feed's thread: whether the clip goes on to the model at all.
  bool passes(const Clip& clip);

  struct Verdict {
    bool unchanged = false;
    std::optional<double> similarity;
  };
  // On the engine's thread, for every clip that has come so far, in order: whether the last answer still
  // holds. Where it says no, the clip is the one that counts from now on.
  Verdict compare(const Clip& clip, std::span<const ImageFeatures> features);
  // The clip that counted got no answer.
  void forget();

 private:
  bool silent_too_long(MediaTime now) const;

  const GateSettings settings_;
  std::atomic<std::int64_t> asked_at_ns_{-1};  // media time; negative: never
  // The engine's thread's.
  std::vector<ImageFeatures> asked_;
  bool was_unchanged_ = false;
};

}  // namespace palisade
