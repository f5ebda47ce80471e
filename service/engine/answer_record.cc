#include "service/engine/answer_record.h"

namespace palisade {

AnswerRecord record_of(const Request& request, const Reply& reply, const EngineModel& model,
                       const std::string& stream, const std::string& task) {
  AnswerEvent answer{
      .task = task,
      .prompt = request.prompts[reply.prompt_index],
      .window = window_of(request.clip, model.image_tokens(), reply.images_encoded),
      .model = model.identity(),
      .adapter = request.adapter ? request.adapter->identity : AdapterIdentity(),
      .dropped_before = request.dropped_before,
      .timing = reply.timing,
      .decoding = DecodingEvidence{.method = request.method, .max_new_tokens = request.max_new_tokens}};
  answer.window.tokens_kept = reply.image_tokens;
  answer.window.prune = prune_text(request.prune);
  return {.stream = stream,
          .task = task,
          .clip = request.clip,
          .answer = std::move(answer),
          .likeness = reply.likeness};
}

}  // namespace palisade
