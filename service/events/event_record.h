#pragma once

#include <string>
#include <variant>

#include "frames/clip.h"
#include "service/events/frame_hashes.h"
#include "tasks/events/answer_event.h"
#include "tasks/events/event.h"
#include "tasks/events/state_event.h"

namespace palisade {

// An answer on its way to be an event.
struct AnswerRecord {
  std::string stream;
  std::string task;    // the last word of its topic
  Clip clip;           // what was asked about; not empty
  AnswerEvent answer;  // without `frames`, which are made of the clip
};

// How a stream is.
struct StateRecord {
  std::string stream;
  StateEvent state;
};

using EventRecord = std::variant<AnswerRecord, StateRecord>;

// The event of a record, without id and number.
Event event_of(EventRecord record, const std::string& node, FrameHashes& hashes);

}  // namespace palisade
