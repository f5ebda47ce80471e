#include "tasks/events/state_event.h"

#include "base/time_text.h"
#include "tasks/events/event.h"

namespace palisade {
namespace {

Json to_json(const JournalStatus& journal) {
  Json json = {{"storing", journal.storing}, {"waiting", journal.waiting}, {"lost", journal.lost}};
  if (!journal.reason.empty()) json["reason"] = journal.reason;
  return json;
}

}  // namespace

Json to_json(const StateEvent& state) {
  Json json = {{"state", state.state}, {"since", time_text(state.since)}};
  if (!state.reason.empty()) json["reason"] = state.reason;
  if (state.attempt > 0) json["attempt"] = state.attempt;
  if (state.next_try_in.count() > 0) json["next_try_in_ms"] = state.next_try_in.count();
  if (state.width > 0 && state.height > 0)
    json["picture"] = {{"width", state.width}, {"height", state.height}};
  return json;
}

Json to_json(const HeartbeatEvent& heartbeat) {
  Json sequences = Json::object();
  for (const auto& [topic, sequence] : heartbeat.sequences) sequences[topic] = sequence_text(sequence);
  Json streams = Json::object();
  for (const auto& [stream, counts] : heartbeat.streams) {
    streams[stream] = {{"frames", counts.frames},
                       {"answered", counts.answered},
                       {"dropped", counts.dropped},
                       {"failed", counts.failed},
                       {"images_encoded", counts.images_encoded},
                       {"skipped", counts.skipped},
                       {"unchanged", counts.unchanged}};
    // The first published schema knew no such count, and closed this object.
    if (counts.lost > 0) streams[stream]["lost"] = counts.lost;
  }
  Json json = {{"interval_ms", heartbeat.interval.count()},
               {"uptime_ms", heartbeat.uptime.count()},
               {"sequences", std::move(sequences)},
               {"streams", std::move(streams)},
               {"unpublished", heartbeat.unpublished}};
  if (heartbeat.journal) json["journal"] = to_json(*heartbeat.journal);
  return json;
}

}  // namespace palisade
