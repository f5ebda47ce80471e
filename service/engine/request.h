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

// What became of one prompt of a Request: an answer, or why there is none.
struct Reply {
  std::size_t prompt_index = 0;
  Answer answer;
  AnswerTiming timing;
  int images_encoded = 0;  // of the clip, for this answer; the others were known already
  int image_tokens = 0;    // of the clip, that were read for this answer
  bool unchanged = false;  // the request said so: there is no answer
  std::string error;       // empty when there is an answer
};

// How far an answer is. `text` is what it has become longer by; beams and choices have text only at the end.
enum class AnswerStage { kQueued, kEncoding, kPrefill, kDecoding };
struct AnswerProgress {
  std::size_t prompt_index = 0;
  AnswerStage stage = AnswerStage::kQueued;
  std::string_view text;
};

// One clip and everything that is to be asked about it, so that its images are encoded once. `tell` is called
// on the engine's thread, once a prompt; it must not block.
struct Request {
  Clip clip;
  std::vector<std::string> prompts;
  int max_new_tokens = 64;
  DecodingMethod method;
  int top_tokens = 0;  // DecodingOptions::top_tokens
  Prune prune;
  std::chrono::milliseconds deadline{120'000};  // for each answer, once its turn has come
  std::string series;  // answers of one series are told in the order of their clips; empty: as they come
  // Asked on the engine's thread once the images are features, in the order of a series: whether the answer
  // given last still holds, so that the language model is not asked. May be empty.
  std::function<bool(const Clip& clip, std::span<const ImageFeatures> features)> unchanged;
  std::function<bool()> cancelled;  // asked on the engine's thread; may be empty
  std::function<void(const Request& request, const Reply& reply)> tell;
  // Told of the stages of each prompt and of its text as it comes, on the engine's thread: it must neither
  // block nor throw. May be empty.
  std::function<void(const AnswerProgress& progress)> progress;
  // Filled in by the queue.
  bool person = false;  // comes before cameras
  MonotonicTime queued{};
  // Of the same series, since the last one served. Begins as what was dropped before it came to the queue.
  std::uint64_t dropped_before = 0;
};

}  // namespace palisade
