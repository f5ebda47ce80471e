#pragma once

#include "ingest/feed_report.h"
#include "tasks/events/state_event.h"

namespace palisade {

// What a feed reports, as an event tells it: without passwords.
StateEvent state_of(const FeedReport& report);

}  // namespace palisade
