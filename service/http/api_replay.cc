#include <variant>

#include "base/format.h"
#include "service/asking/replayed_answer.h"
#include "service/http/meant_event.h"
#include "service/http/question.h"
#include "service/journal/event_row.h"
#include "service/journal/frame_codec.h"
#include "service/journal/frame_files.h"

namespace palisade {
namespace {

using Exchange = std::shared_ptr<HttpExchange>;

// Empty ones in the place of those that are gone.
std::vector<Image> frames_of(const MeantEvent& meant) {
  std::vector<Image> frames;
  for (const auto& frame : stored_frames(meant.folder, meant.stored.id,
                                         picture_hashes_of(meant.stored.body, meant.stored.topic).frames))
    frames.push_back(frame ? decode_frame(*frame) : Image());
  return frames;
}

std::string message_of(const ReplayedAnswer& answer, const Json& then) {
  switch (answer.outcome) {
    case ReplayOutcome::kSame:
      return "the same text, and every probability to the bit";
    case ReplayOutcome::kSameText:
      return format("the same text; a probability moved by {:.4f}", answer.p_moved);
    case ReplayOutcome::kDiffers:
      return "another text than '" + then.value("text", "") + "'";
    case ReplayOutcome::kOtherModel:
      return "the event is of another model, adapter, precision or resize than this service's";
    case ReplayOutcome::kFramesGone:
      return "the frames that it saw are not kept, or no longer";
    case ReplayOutcome::kNotAnAnswer:
      return "it repeats an earlier answer, was cut off, or is no answer";
  }
  return {};
}

void respond(const Exchange& exchange, const ReplayedAnswer& answer, const Json& then) {
  Json json = {{"result", name_of(answer.outcome)}, {"message", message_of(answer, then)}};
  if (!answer.now.is_null()) {
    json["p_moved"] = answer.p_moved;
    for (const char* const key : {"text", "choices", "logprob", "timing"}) {
      if (answer.now.contains(key)) json[key] = answer.now[key];
    }
  }
  exchange->respond(json_response(json));
}

void replay_event(HttpApi& api, const Exchange& exchange) {
  const MeantEvent meant = meant_event(api, *exchange, exchange->request().parts.at("id"));
  const EngineModel& model = api.backend.model();
  auto prepared = replay_question(meant.event, frames_of(meant),
                                  {.model = model.identity(), .adapters = api.backend.adapters()});
  const Json then = meant.event.value("data", Json::object());
  if (const auto* const outcome = std::get_if<ReplayedAnswer>(&prepared))
    return respond(exchange, *outcome, then);
  auto question = std::make_shared<const ReplayQuestion>(std::get<ReplayQuestion>(std::move(prepared)));
  ask_engine(api, exchange, question->request,
             [exchange, question, then, &model](const Request&, const Reply& reply) {
               respond(exchange, replayed_answer(*question, reply, model), then);
             });
}

}  // namespace

void add_replay_routes(HttpRouter& router, HttpApi& api) {
  add_route(router, api,
            {.method = HttpMethod::kPost, .pattern = "/api/v1/events/{id}/replay", .scope = HttpScope::kAsk},
            replay_event);
}

}  // namespace palisade
