#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include "base/json.h"
#include "frames/image.h"
#include "service/engine/engine_model.h"
#include "service/engine/request.h"

namespace palisade {

// What came of asking again what an event tells of.
enum class ReplayOutcome {
  kSame,         // text, tokens and every probability, to the bit
  kSameText,     // the text, with other probabilities
  kDiffers,      // another text
  kOtherModel,   // not asked: the event was another model's or adapter's, or of another precision or resize
  kFramesGone,   // not asked: its frames are not kept
  kNotAnAnswer,  // not asked: the event repeats an earlier answer, was cut off, or is no answer
};
std::string_view name_of(ReplayOutcome outcome);  // "same", "same text" ...

struct ReplayedAnswer {
  ReplayOutcome outcome = ReplayOutcome::kNotAnAnswer;
  double p_moved = 0;  // most that a probability has changed
  Json now;            // the answer's data as an event has it; null where nothing was asked
};

// Whom a replay asks.
struct ReplayModel {
  EngineModel& model;
  std::vector<SharedAdapter> adapters = {};  // of which an event may name one
  bool as_it_was = true;                     // only the model and the adapter that the event names
};

// Which events are asked again, and with which adapter; as ReplayModel.
struct ReplayRule {
  ModelIdentity model;
  std::vector<SharedAdapter> adapters = {};
  bool as_it_was = true;
};

// What an event was asked, to be asked again.
struct ReplayQuestion {
  Request request;
  Json then;  // the event's data
};
// Or what came of it where it cannot be. As replay_answer() otherwise.
std::variant<ReplayQuestion, ReplayedAnswer> replay_question(const Json& event,
                                                             const std::vector<Image>& frames,
                                                             const ReplayRule& rule);
ReplayedAnswer replayed_answer(const ReplayQuestion& question, const Reply& reply, const EngineModel& model);

// Asks the model what the event (an answer's JSON) was asked, about the same frames; an image that is empty
// is one that is gone. Not `as_it_was`, the adapter is the one that the event names, else the only one, else
// none. Nothing where it was stopped. Throws Error.
std::optional<ReplayedAnswer> replay_answer(const Json& event, const std::vector<Image>& frames,
                                            const ReplayModel& asked, const std::stop_token& stop);

}  // namespace palisade
