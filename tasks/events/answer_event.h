#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "frames/clip.h"
#include "model/decoding/decoding.h"
#include "model/paligemma/paligemma.h"

namespace palisade {

// A frame as evidence: when it was seen, and the hash of the pixels that the model saw.
struct FrameEvidence {
  std::string stream;
  FrameStamp stamp;
  std::string sha256;  // lower-case hex
};

// Which frames were chosen, and how. Pictures that a person gave have neither policy nor span.
struct WindowEvidence {
  std::optional<SamplingPolicy> policy;
  int count = 0;
  std::chrono::milliseconds span{0};
  int tokens = 0;                    // image tokens of all frames
  int tokens_kept = 0;               // of these, that entered the model
  std::string prune = {};            // why not all did; empty: they did
  int images_encoded = 0;            // of the window, for this answer; the others were known already
  bool tiled = false;                // the stream was too short for it: frames begin again
  std::optional<int> degraded_from;  // frames, where load made them fewer
  int one_of = 1;                    // clips of which one was asked about, where load left some out
  std::optional<double> similarity;  // to the window that was answered last, where they were compared
};

// Where the time went, from the moment the clip was complete.
struct AnswerTiming {
  std::chrono::nanoseconds wait{0};
  std::chrono::nanoseconds encode{0};
  std::chrono::nanoseconds prefill{0};
  std::chrono::nanoseconds decode{0};

  std::chrono::nanoseconds total() const { return wait + encode + prefill + decode; }
};

// An answer that was possible and its probability among those that were; `logprob` where it was scored whole.
struct AnswerChoice {
  std::string text;
  double p = 0;
  std::optional<double> logprob;
};

// The data of a palisade.answer.v1 event.
struct AnswerEvent {
  std::string task;
  std::string prompt;
  std::string text;
  std::string finish_reason;
  std::vector<TokenId> token_ids;
  double logprob = 0;
  std::vector<double> token_logprobs;
  std::vector<std::vector<TopToken>> top_tokens;  // of each step, where they were asked for
  std::vector<AnswerChoice> choices;              // empty where the answer was not one of a few
  std::vector<FrameEvidence> frames;
  WindowEvidence window;
  ModelIdentity model;
  std::uint64_t dropped_before = 0;
  std::optional<std::uint64_t> skipped_before;  // by the motion gate, where there is one
  // `time` of the answer that still holds: nothing was asked, `text` repeats it.
  std::optional<WallTime> unchanged_since;
  AnswerTiming timing;
};

using HashPixels = std::function<std::string(const Image&)>;

std::vector<FrameEvidence> frames_of(const Clip& clip, const HashPixels& sha256);
// The span is the sampling's own; a fixed stride has none, so there it is what its frames covered.
WindowEvidence window_of(const Clip& clip, int image_tokens, int images_encoded = 0);

// As the event's "model" states it.
Json to_json(const ModelIdentity& model);
Json to_json(const AnswerEvent& answer);

}  // namespace palisade
