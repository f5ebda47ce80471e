#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tasks/events/event.h"

namespace palisade {

// What the journal's columns say of an event, read from what was published.
struct EventRow {
  std::string id;
  std::string topic;
  std::uint64_t sequence = 0;
  std::string stream;
  std::string task;  // last word of the topic
  EventKind kind = EventKind::kAnswer;
  std::int64_t time_ms = 0;  // since 1970
  // The probability of "yes" or "true" where that is one of the choices, else of the most probable choice.
  // Nothing where the answer has no choices.
  std::optional<double> p;
  std::string text;  // what is searched: the answer, or the state and its reason
};

// Hashes of what is kept beside an event: of the frames that an answer saw, in order, and of its view. Other
// events have none.
struct PictureHashes {
  std::vector<std::string> frames;
  std::string view;  // empty where there is none

  std::vector<std::string> all() const;
};
// Throws Error likewise.
PictureHashes picture_hashes_of(const std::string& body, const std::string& topic);

// Throws Error where `body` is not an event.
EventRow event_row(const std::string& topic, const std::string& body);

}  // namespace palisade
