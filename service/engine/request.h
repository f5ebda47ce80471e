#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "frames/clip.h"
#include "model/decoding/decoding.h"
#include "model/paligemma/paligemma.h"
#include "service/settings/prune.h"
#include "tasks/events/answer_event.h"

namespace palisade {

// The outcome of one prompt: an answer, or why there is none.
struct Reply {
  std::size_t prompt_index = 0;
  Answer answer;
  AnswerTiming timing;
  int images_encoded = 0;       // encoded for this answer; the clip's others were cached
  int image_tokens = 0;         // image tokens read for this answer
  std::vector<float> likeness;  // pooled_features() of the last frame, where Request::likeness asks for it
  bool unchanged = false;       // Request::unchanged returned true: there is no answer
  std::string error;            // empty when there is an answer
};

// Progress of an answer. `text` is what was added to it; beams and choices have text only at the end.
enum class AnswerStage { kQueued, kEncoding, kPrefill, kDecoding };
struct AnswerProgress {
  std::size_t prompt_index = 0;
  AnswerStage stage = AnswerStage::kQueued;
  std::string_view text;
};

// One clip and all prompts about it, so that its images are encoded once. `tell` is called on the engine's
// thread, once for each prompt, and must not block.
struct Request {
  Clip clip;
  std::vector<std::string> prompts;
  int max_new_tokens = 64;
  DecodingMethod method;
  int top_tokens = 0;            // DecodingOptions::top_tokens
  bool location_spread = false;  // DecodingOptions::location_spread
  Prune prune;
  SharedAdapter adapter;                        // of all prompts; nullptr: the model alone
  bool likeness = false;                        // Reply::likeness is filled in
  std::chrono::milliseconds deadline{120'000};  // of each answer, from its prefill on
  std::string
      series;  // answers of one series are delivered in the order of their clips; empty: as they finish
  // Called on the engine's thread once the images are encoded, in the order of a series: whether the last
  // answer still holds, so that the language model is not asked. May be empty.
  std::function<bool(const Clip& clip, std::span<const ImageFeatures> features)> unchanged;
  // Whether nobody waits for it any more. Called by any thread, at once and often; may be empty.
  std::function<bool()> cancelled;
  std::function<void(const Request& request, const Reply& reply)> tell;
  // Called on the engine's thread with each stage of each prompt and each new piece of text. Must neither
  // block nor throw. May be empty.
  std::function<void(const AnswerProgress& progress)> progress;
  // Filled in by the queue.
  bool person = false;  // comes before cameras
  MonotonicTime queued{};
  // Clips of the same series lost since the last one served; set before push() to those lost before the
  // queue.
  std::uint64_t dropped_before = 0;
};

inline bool is_cancelled(const Request& request) {
  return request.cancelled && request.cancelled();
}

}  // namespace palisade
