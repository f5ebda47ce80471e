#pragma once

#include <string>
#include <variant>
#include <vector>

#include "frames/clip.h"
#include "service/events/frame_hashes.h"
#include "service/events/frame_keeper.h"
#include "tasks/events/answer_event.h"
#include "tasks/events/event.h"
#include "tasks/events/state_event.h"
#include "tasks/filters/text_redaction.h"

namespace palisade {

// An answer before it becomes an event.
struct AnswerRecord {
  std::string stream;
  std::string task;                           // the last word of its topic
  Clip clip;                                  // the frames that were seen; not empty
  AnswerEvent answer;                         // without `frames`, which event_of() fills in from the clip
  std::vector<float> likeness = {};           // of the last frame (pooled_features()); may be empty
  FrameStorage storage = FrameStorage::kOff;  // how the frames are kept, where somebody keeps them
};

// A change of a stream's state.
struct StateRecord {
  std::string stream;
  StateEvent state;
};

using EventRecord = std::variant<AnswerRecord, StateRecord>;

// What happens to an answer on its way to an event.
struct AnswerTreatment {
  FrameKeeper* keeper = nullptr;             // of its frames; null: nobody keeps them
  const TextRedaction* redaction = nullptr;  // of its text; null: it is published as it is
};

// Replaces what an answer's text must not hold, and leaves out the tokens that would spell it.
void redact(AnswerEvent& answer, const TextRedaction& redaction);

// Makes an event of a record, still without id and sequence.
Event event_of(EventRecord record, const std::string& node, FrameHashes& hashes,
               const AnswerTreatment& treatment = {});

}  // namespace palisade
