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

// The similarity of two windows: the lowest image_similarity() among frames at the same index. Nothing if the
// windows differ in length or a similarity is not a number.
std::optional<double> similarity(std::span<const ImageFeatures> a, std::span<const ImageFeatures> b);

// Decides which clips of one sampling are worth a question to the model. Owned by its ClipSeries. With the
// semantic gate it keeps the image features of the last window that was answered (PaliGemma at 224 pixels:
// 2 MB a frame).
class ClipGate {
 public:
  explicit ClipGate(GateSettings settings) : settings_(std::move(settings)) {}

  // On the feed's thread: whether the clip goes to the engine at all (the motion gate).
  bool passes(const Clip& clip);

  struct Verdict {
    bool unchanged = false;
    std::optional<double> similarity;
  };
  // On the engine's thread, for every clip that passed, in order: whether the last answer still holds (the
  // semantic gate). If it does not, later clips are compared with this one.
  Verdict compare(const Clip& clip, std::span<const ImageFeatures> features);
  // The clip that later ones would be compared with got no answer: the next clip counts as changed.
  void forget();

 private:
  bool silent_too_long(MediaTime now) const;

  const GateSettings settings_;
  std::atomic<std::int64_t> asked_at_ns_{-1};  // media time; negative: never
  // Used by the engine's thread only.
  std::vector<ImageFeatures> asked_;
  bool was_unchanged_ = false;
};

}  // namespace palisade
