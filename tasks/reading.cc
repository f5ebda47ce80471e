#include "tasks/reading.h"

#include <algorithm>
#include <cmath>

#include "tasks/prompt.h"

namespace palisade {
namespace {

// The location tokens of an answer, in the order of its text; none where a location was spelt by other
// tokens, so that nobody can say which is which.
std::span<const LocationToken> tokens_of(const Answer& answer, const BoxReading& boxes) {
  if (!std::ranges::equal(boxes.locations, answer.locations, {}, {}, &LocationToken::location)) return {};
  return answer.locations;
}

double mean_probability(std::span<const LocationToken> tokens) {
  double sum = 0;
  for (const LocationToken& token : tokens) sum += std::min(std::exp(token.logprob), 1.0);
  return sum / double(tokens.size());
}

DetectedBox detected(const Box& box, std::span<const LocationToken> all, const Reading& reading) {
  const LocationScale& scale = reading.locations;
  const Frame& frame = reading.clip.frames.front();
  DetectedBox detected{
      .label = box.label,
      .box = {scale.share(box.x_min), scale.share(box.y_min), scale.share(box.x_max), scale.share(box.y_max)},
      .pixels = {scale.pixel(box.x_min, frame.source_width), scale.pixel(box.y_min, frame.source_height),
                 scale.pixel(box.x_max, frame.source_width), scale.pixel(box.y_max, frame.source_height)}};
  if (reading.masks && !box.codes.empty())
    detected.mask = mask_in_box(reading.masks->decode(box.codes), frame.source_width, frame.source_height,
                                detected.pixels);
  if (all.empty()) return detected;
  const auto own = all.subspan(box.first_location, 4);
  detected.confidence = mean_probability(own);
  // The tokens' order is y_min, x_min, y_max, x_max.
  if (std::ranges::all_of(own, [](const LocationToken& token) { return token.spread.has_value(); })) {
    const auto spread = [&](int i) { return *own[i].spread / scale.last; };
    detected.spread = {{spread(1), spread(0), spread(3), spread(2)}};
  }
  return detected;
}

}  // namespace

void read_text(const Answer& answer, AnswerEvent& event) {
  event.text = answer.text;
  event.finish_reason = name_of(answer.finish_reason);
  event.token_ids = answer.token_ids;
  event.logprob = answer.logprob;
  event.token_logprobs = answer.token_logprobs;
  event.top_tokens = answer.top_tokens;
  event.passes = answer.passes;
  for (const ScoredChoice& choice : answer.choices)
    event.choices.push_back({.text = choice.text, .p = choice.p, .logprob = choice.logprob});
}

void read_boxes(const Answer& answer, const Reading& reading, AnswerEvent& event) {
  read_text(answer, event);
  // A frame that was kept has no size of the camera's.
  if (reading.clip.frames.size() != 1 || reading.clip.frames.front().source_width < 1) return;
  const BoxReading boxes = read_boxes(answer.text);
  const auto tokens = tokens_of(answer, boxes);
  const bool segments = task_of_prompt(event.prompt) == "segment";
  for (const Box& box : boxes.boxes) {
    event.boxes.push_back(detected(box, tokens, reading));
    if (segments && box.codes.empty())
      event.malformed.push_back({.text = text_of(box), .reason = "has no codes of a mask"});
  }
  for (const MalformedBox& part : boxes.malformed)
    event.malformed.push_back({.text = part.text, .reason = part.reason});
}

}  // namespace palisade
