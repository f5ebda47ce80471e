#include "service/events/event_tracker.h"

#include <charconv>
#include <optional>

#include "tasks/events/event.h"

namespace palisade {
namespace {

// What is remembered, whatever a service sends; no service of ours has as much.
constexpr std::size_t kMaxTopics = 10'000, kMaxName = 256;

std::string text_of(const Json& json, const char* key) {
  const auto found = json.is_object() ? json.find(key) : json.end();
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::optional<std::uint64_t> number_of(const std::string& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

bool EventTracker::remembers(const std::string& topic) const {
  return topic.size() <= kMaxName && (topics_.size() < kMaxTopics || topics_.contains(topic));
}

EventTracker::Observation EventTracker::see(const std::string& topic, const Json& event) {
  Observation seen;
  const std::string id = text_of(event, "id");
  const auto sequence = number_of(text_of(event, "sequence"));
  if (id.empty() || id.size() > kMaxName || !sequence || !remembers(topic)) return seen;
  const auto [entry, first] = topics_.try_emplace(topic, LastEvent{*sequence, id});
  LastEvent& last = entry->second;
  if (!first) {
    // ULIDs of one publisher ascend: what does not come after the last one was sent before it.
    seen.repeat = id <= last.id;
    if (seen.repeat) return seen;
    // A smaller sequence under a later id: the publisher was started anew, and counts from one.
    const std::uint64_t expected = *sequence > last.sequence ? last.sequence + 1 : 1;
    if (*sequence > expected) seen.losses.push_back({topic, *sequence - expected});
    last = {*sequence, id};
  }
  if (topic == kHeartbeatTopic) compare(event, seen.losses);
  return seen;
}

// Events are sent in order: whatever a heartbeat counts has come before it, or will not come.
void EventTracker::compare(const Json& heartbeat, std::vector<Loss>& losses) {
  const auto data = heartbeat.find("data");
  if (data == heartbeat.end() || !data->is_object()) return;
  const auto sequences = data->find("sequences");
  if (sequences == data->end() || !sequences->is_object()) return;
  const std::string id = text_of(heartbeat, "id");
  for (const auto& [topic, value] : sequences->items()) {
    if (topic == kHeartbeatTopic || !subscribed_(topic) || !value.is_string()) continue;
    const auto sequence = number_of(value.get<std::string>());
    if (!sequence || !remembers(topic)) continue;
    const auto [entry, first] = topics_.try_emplace(topic, LastEvent{*sequence, id});
    LastEvent& last = entry->second;
    // A topic first heard of in the first heartbeat is older than the subscription; in a later one, it was
    // lost.
    if (first && heard_heartbeat_ && *sequence > 0) losses.push_back({topic, *sequence});
    if (!first && *sequence > last.sequence) {
      losses.push_back({topic, *sequence - last.sequence});
      last = {*sequence, id};
    }
  }
  heard_heartbeat_ = true;
}

}  // namespace palisade
