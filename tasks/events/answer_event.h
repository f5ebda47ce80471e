#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "frames/clip.h"
#include "model/decoding/decoding.h"
#include "model/masks/mask.h"
#include "model/paligemma/paligemma.h"
#include "tasks/events/decoding_evidence.h"

namespace palisade {

// A frame that an answer saw: when it was taken, and the hash of its pixels.
struct FrameEvidence {
  std::string stream;
  FrameStamp stamp;
  std::string sha256;  // lower-case hex
};

// The larger picture of the last frame, for people; kept beside the frames.
struct ViewEvidence {
  std::string sha256;  // lower-case hex, of its pixels
  int width = 0;
  int height = 0;
};

// How the frames were chosen. Pictures that a user named have neither policy nor span.
struct WindowEvidence {
  std::optional<SamplingPolicy> policy;
  int count = 0;
  std::chrono::milliseconds span{0};
  int tokens = 0;                    // image tokens of all frames
  int tokens_kept = 0;               // of these, read by the language model
  std::string prune = {};            // the `prune` setting where not all were read; else empty
  int images_encoded = 0;            // encoded for this answer; the others were cached
  bool tiled = false;                // the stream was too short, so frames repeat
  std::optional<int> degraded_from;  // frames, where load made them fewer
  int one_of = 1;                    // one of so many clips was asked about, under load
  std::optional<double> similarity;  // likeness to the window answered last, where compared
};

// Time of each stage since the clip was complete.
struct AnswerTiming {
  std::chrono::nanoseconds wait{0};
  std::chrono::nanoseconds encode{0};
  std::chrono::nanoseconds prefill{0};
  std::chrono::nanoseconds decode{0};

  std::chrono::nanoseconds total() const { return wait + encode + prefill + decode; }
};

// A possible answer and its probability among all possible ones; `logprob` where it was scored as a whole.
struct AnswerChoice {
  std::string text;
  double p = 0;
  std::optional<double> logprob;
  std::optional<double> calibrated = {};  // how often a choice of such a probability is right
};

// The curve that the calibrated probabilities are of (certainty_curve.h).
struct CurveEvidence {
  std::string id;
  std::string prompt;  // of this prompt's answers; empty: of all of the task
  std::string task;
};

// A box of an answer about one picture. Edges are x_min, y_min, x_max, y_max everywhere.
struct DetectedBox {
  std::string label;
  std::array<double, 4> box{};                  // in 0..1 of the picture as the camera sent it
  std::array<int, 4> pixels{};                  // of that picture
  std::optional<double> confidence;             // mean probability of its location tokens
  std::optional<std::array<double, 4>> spread;  // standard deviation of each edge, in 0..1
  std::optional<Mask> mask;
  std::string mask_picture;  // name of the mask's PNG where it was written; else empty
};

// A part of an answer that should be a box and is none.
struct MalformedPart {
  std::string text;
  std::string reason;
};

// The data of a palisade.answer.v1 event.
struct AnswerEvent {
  std::string task;
  std::string name;  // of the task on its stream, the last word of the topic; empty: as `task`
  std::string prompt;
  std::string text;
  std::string finish_reason;
  std::vector<TokenId> token_ids;
  double logprob = 0;
  std::vector<double> token_logprobs;
  std::vector<std::vector<TopToken>> top_tokens;  // of each step, where they were asked for
  std::vector<AnswerChoice> choices;              // empty where the answer was not one of a few
  std::optional<CurveEvidence> curve;
  std::string answer_type;  // of a question that named one; else empty
  Json value;               // what the answer is then
  LanguagePasses passes;
  std::vector<DetectedBox> boxes;
  std::vector<MalformedPart> malformed;
  std::vector<FrameEvidence> frames;
  WindowEvidence window;
  ModelIdentity model;
  AdapterIdentity adapter = {};  // beside it; an empty id: none
  std::uint64_t dropped_before = 0;
  std::optional<std::uint64_t> skipped_before;  // by the motion gate, where there is one
  // `time` of the earlier answer that still holds; then nothing was asked, and `text` repeats it.
  std::optional<WallTime> unchanged_since;
  AnswerTiming timing;
  std::optional<DecodingEvidence> decoding;  // nothing where nothing was asked
  // "jpeg", "exact", or "lost" where they should have been; empty: nobody keeps them
  std::string frames_stored;
  std::optional<ViewEvidence> view;   // where it is kept
  std::vector<std::string> redacted;  // names of what was replaced in `text`; its tokens are left out then
};

using HashPixels = std::function<std::string(const Image&)>;

std::vector<FrameEvidence> frames_of(const Clip& clip, const HashPixels& sha256);
// The span is the sampling's own; a fixed stride has none, so there it is what its frames covered.
WindowEvidence window_of(const Clip& clip, int image_tokens, int images_encoded = 0);

// As the event's "model" states it.
Json to_json(const ModelIdentity& model);
Json to_json(const AdapterIdentity& adapter);
Json to_json(const AnswerEvent& answer);

}  // namespace palisade
