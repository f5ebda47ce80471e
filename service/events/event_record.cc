#include "service/events/event_record.h"

#include <utility>

namespace palisade {
namespace {

std::string_view name_of(FrameStorage storage) {
  return storage == FrameStorage::kExact ? "exact" : "jpeg";
}

// The answer's frames have their hashes already.
void keep_pictures(AnswerRecord& record, FrameHashes& hashes, FrameKeeper& keeper) {
  AnswerEvent& answer = record.answer;
  std::vector<KeptPicture> pictures;
  for (std::size_t i = 0; i < answer.frames.size(); ++i)
    pictures.push_back({answer.frames[i].sha256, record.clip.frames[i].image, record.storage});
  const Image& view = record.clip.frames.back().view;
  if (!view.empty()) pictures.push_back({hashes.of(view), view, FrameStorage::kJpeg});
  const bool kept = keeper.keep(pictures);
  answer.frames_stored = kept ? name_of(record.storage) : "lost";
  if (kept && !view.empty()) answer.view = ViewEvidence{pictures.back().sha256, view.width(), view.height()};
}

Event event_of_answer(AnswerRecord record, const std::string& node, FrameHashes& hashes,
                      const AnswerTreatment& treatment) {
  AnswerEvent& answer = record.answer;
  answer.name = record.task;
  answer.frames = frames_of(record.clip, [&](const Image& image) { return hashes.of(image); });
  if (treatment.redaction != nullptr) redact(answer, *treatment.redaction);
  if (treatment.keeper != nullptr && record.storage != FrameStorage::kOff)
    keep_pictures(record, hashes, *treatment.keeper);
  return {.kind = EventKind::kAnswer,
          .topic = answer_topic(record.stream, record.task),
          .source = stream_source(node, record.stream),
          .subject = record.stream,
          .time = latest(record.clip).stamp.wall,
          .data = to_json(record.answer)};
}

Event event_of_state(const StateRecord& record, const std::string& node) {
  return {.kind = EventKind::kState,
          .topic = state_topic(record.stream),
          .source = stream_source(node, record.stream),
          .subject = record.stream,
          .time = record.state.since,
          .data = to_json(record.state)};
}

}  // namespace

void redact(AnswerEvent& answer, const TextRedaction& redaction) {
  answer.redacted = redaction.redact(answer.text);
  if (answer.redacted.empty()) return;
  answer.token_ids.clear();
  answer.token_logprobs.clear();
  answer.top_tokens.clear();
  for (DetectedBox& box : answer.boxes) redaction.redact(box.label);
  for (MalformedPart& part : answer.malformed) redaction.redact(part.text);
}

Event event_of(EventRecord record, const std::string& node, FrameHashes& hashes,
               const AnswerTreatment& treatment) {
  if (auto* const answer = std::get_if<AnswerRecord>(&record))
    return event_of_answer(std::move(*answer), node, hashes, treatment);
  return event_of_state(std::get<StateRecord>(record), node);
}

}  // namespace palisade
