#include "tasks/events/answer_event.h"

#include <algorithm>
#include <cmath>

#include "base/time_text.h"

namespace palisade {
namespace {

std::int64_t whole_milliseconds(std::chrono::nanoseconds duration) {
  return std::chrono::round<std::chrono::milliseconds>(duration).count();
}

std::string_view name_of(TimeSource source) {
  switch (source) {
    case TimeSource::kRtcp:
      return "rtcp";
    case TimeSource::kArrival:
      return "arrival";
    case TimeSource::kFile:
      return "file";
  }
  return {};
}

Json to_json(const FrameEvidence& frame) {
  Json json = {{"stream", frame.stream},
               {"number", frame.stamp.number},
               {"pts_ms", whole_milliseconds(frame.stamp.pts)},
               {"time", time_text(frame.stamp.wall)},
               {"time_source", name_of(frame.stamp.time_source)},
               {"sha256", frame.sha256},
               {"corrupt", frame.stamp.corrupt}};
  if (frame.stamp.time_uncertainty) json["time_uncertainty_ms"] = frame.stamp.time_uncertainty->count();
  return json;
}

Json to_json(const WindowEvidence& window) {
  Json json = {{"count", window.count},
               {"tokens", window.tokens},
               {"tokens_kept", window.tokens_kept},
               {"images_encoded", window.images_encoded}};
  if (window.policy) {
    json["policy"] = palisade::name_of(*window.policy);
    json["span_ms"] = window.span.count();
  }
  if (window.tiled) json["tiled"] = true;
  if (!window.prune.empty()) json["prune"] = window.prune;
  if (window.degraded_from) json["degraded_from"] = *window.degraded_from;
  if (window.one_of > 1) json["one_of"] = window.one_of;
  if (window.similarity && std::isfinite(*window.similarity)) json["similarity"] = *window.similarity;
  return json;
}

Json to_json(const AnswerTiming& timing) {
  return {{"wait", whole_milliseconds(timing.wait)},
          {"encode", whole_milliseconds(timing.encode)},
          {"prefill", whole_milliseconds(timing.prefill)},
          {"decode", whole_milliseconds(timing.decode)},
          {"total", whole_milliseconds(timing.total())}};
}

Json to_json(const TopToken& top) {
  return {{"id", top.token}, {"text", top.text}, {"logprob", top.logprob}};
}

Json to_json(const AnswerChoice& choice) {
  Json json = {{"text", choice.text}, {"p", choice.p}};
  if (choice.logprob) json["logprob"] = *choice.logprob;
  if (choice.calibrated) json["calibrated"] = *choice.calibrated;
  return json;
}

Json to_json(const CurveEvidence& curve) {
  Json json = {{"id", curve.id}, {"task", curve.task}};
  if (!curve.prompt.empty()) json["prompt"] = curve.prompt;
  return json;
}

Json to_json(const DetectedBox& box) {
  Json json = {{"label", box.label}, {"box", box.box}, {"pixels", box.pixels}};
  if (box.confidence) json["confidence"] = *box.confidence;
  if (box.spread) json["spread"] = *box.spread;
  if (box.mask) {
    json["mask"] = {{"size", {box.mask->height, box.mask->width}}, {"counts", coco_counts(*box.mask)}};
    if (!box.mask_picture.empty()) json["mask"]["picture"] = box.mask_picture;
  }
  return json;
}

std::chrono::milliseconds span_of(const Clip& clip) {
  if (clip.sampling.policy == SamplingPolicy::kUniform && !clip.tiled) return clip.sampling.span;
  // Not simply last minus first: the frames of a tiled clip repeat.
  const auto pts = [](const Frame& frame) { return frame.stamp.pts; };
  const auto [first, last] = std::ranges::minmax_element(clip.frames, {}, pts);
  if (first == clip.frames.end()) return {};
  return std::chrono::round<std::chrono::milliseconds>(pts(*last) - pts(*first));
}

}  // namespace

std::vector<FrameEvidence> frames_of(const Clip& clip, const HashPixels& sha256) {
  std::vector<FrameEvidence> frames;
  frames.reserve(clip.frames.size());
  for (const Frame& frame : clip.frames) {
    frames.push_back({.stream = frame.stream, .stamp = frame.stamp, .sha256 = sha256(frame.image)});
  }
  return frames;
}

WindowEvidence window_of(const Clip& clip, int image_tokens, int images_encoded) {
  const int count = int(clip.frames.size());
  return {.policy = clip.sampling.policy,
          .count = count,
          .span = span_of(clip),
          .tokens = count * image_tokens,
          .tokens_kept = count * image_tokens,
          .images_encoded = images_encoded,
          .tiled = clip.tiled};
}

Json to_json(const ModelIdentity& model) {
  Json json = {{"id", model.id}, {"precision", model.precision}, {"resize", palisade::name_of(model.resize)}};
  if (!model.calibration.empty()) json["calibration"] = model.calibration;
  if (!model.sha256.empty()) json["sha256"] = model.sha256;
  if (!model.notice.empty()) json["notice"] = model.notice;
  return json;
}

Json to_json(const AdapterIdentity& adapter) {
  return {{"id", adapter.id}, {"sha256", adapter.sha256}};
}

Json to_json(const AnswerEvent& answer) {
  Json frames = Json::array();
  for (const FrameEvidence& frame : answer.frames) frames.push_back(to_json(frame));
  Json json = {{"task", answer.task},
               {"prompt", answer.prompt},
               {"text", answer.text},
               {"frames", std::move(frames)},
               {"window", to_json(answer.window)},
               {"model", to_json(answer.model)},
               {"dropped_before", answer.dropped_before},
               {"timing_ms", to_json(answer.timing)}};
  if (!answer.name.empty() && answer.name != answer.task) json["name"] = answer.name;
  if (!answer.adapter.id.empty()) json["adapter"] = to_json(answer.adapter);
  if (!answer.frames_stored.empty()) json["frames_stored"] = answer.frames_stored;
  if (answer.view)
    json["view"] = {
        {"sha256", answer.view->sha256}, {"width", answer.view->width}, {"height", answer.view->height}};
  if (!answer.redacted.empty()) json["redacted"] = answer.redacted;
  if (answer.skipped_before) json["skipped_before"] = *answer.skipped_before;
  if (answer.unchanged_since) {
    json["unchanged_since"] = time_text(*answer.unchanged_since);
    return json;
  }
  if (answer.decoding) json["decoding"] = to_json(*answer.decoding);
  json["finish_reason"] = answer.finish_reason;
  json["token_ids"] = answer.token_ids;
  // JSON has no infinity; a generation that ended before its first token has no probability either.
  if (!answer.token_ids.empty() && std::isfinite(answer.logprob)) {
    json["logprob"] = answer.logprob;
    if (!answer.token_logprobs.empty()) json["token_logprobs"] = answer.token_logprobs;
  }
  for (const auto& step : answer.top_tokens) {
    Json& steps = json["top_tokens"];
    Json& tokens = steps.emplace_back(Json::array());
    for (const TopToken& top : step) tokens.push_back(to_json(top));
  }
  for (const AnswerChoice& choice : answer.choices) json["choices"].push_back(to_json(choice));
  if (answer.curve) json["curve"] = to_json(*answer.curve);
  if (!answer.answer_type.empty()) {
    json["answer_type"] = answer.answer_type;
    json["value"] = answer.value;
  }
  json["passes"] = {{"prefill", answer.passes.prefill}, {"decode", answer.passes.decode}};
  for (const DetectedBox& box : answer.boxes) json["boxes"].push_back(to_json(box));
  for (const MalformedPart& part : answer.malformed)
    json["malformed"].push_back({{"text", part.text}, {"reason", part.reason}});
  return json;
}

}  // namespace palisade
