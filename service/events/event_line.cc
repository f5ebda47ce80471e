#include "service/events/event_line.h"

#include <initializer_list>

#include "base/format.h"
#include "base/log.h"

namespace palisade {
namespace {

const Json* find(const Json& event, std::initializer_list<const char*> keys) {
  const Json* at = &event;
  for (const char* const key : keys) {
    if (!at->is_object()) return nullptr;
    const auto found = at->find(key);
    if (found == at->end()) return nullptr;
    at = &*found;
  }
  return at;
}

std::string text_at(const Json& event, std::initializer_list<const char*> keys) {
  const Json* const value = find(event, keys);
  return value && value->is_string() ? value->get<std::string>() : std::string();
}

std::int64_t number_at(const Json& event, std::initializer_list<const char*> keys) {
  const Json* const value = find(event, keys);
  return value && value->is_number_integer() ? value->get<std::int64_t>() : 0;
}

// "front_door caption" of "palisade/v1/front_door/caption".
std::string short_name(const std::string& topic) {
  constexpr std::string_view kPrefix = "palisade/v1/";
  std::string name = topic.starts_with(kPrefix) ? topic.substr(kPrefix.size()) : topic;
  for (char& c : name) {
    if (c == '/') c = ' ';
  }
  return name;
}

std::string state_text(const Json& event) {
  std::string text = text_at(event, {"data", "state"});
  const std::string reason = text_at(event, {"data", "reason"});
  if (!reason.empty()) text += " (" + reason + ")";
  const std::int64_t next_ms = number_at(event, {"data", "next_try_in_ms"});
  if (next_ms > 0) text += format(", next try in {} s", (next_ms + 500) / 1000);
  return text;
}

std::string answer_text(const Json& event) {
  std::string text = text_at(event, {"data", "text"});
  const std::string since = text_at(event, {"data", "unchanged_since"});
  if (since.size() >= 19) text = "unchanged since " + since.substr(11, 8) + ": " + text;
  const std::string finish = text_at(event, {"data", "finish_reason"});
  if (!finish.empty() && finish != "stop") text += " [" + finish + "]";
  const std::int64_t dropped = number_at(event, {"data", "dropped_before"});
  if (dropped > 0) text += format(" [{} dropped before]", dropped);
  const std::int64_t skipped = number_at(event, {"data", "skipped_before"});
  if (skipped > 0) text += format(" [{} skipped before]", skipped);
  return text;
}

std::string alert_line(const Json& event) {
  const std::string severity = text_at(event, {"data", "severity"}),
                    check = text_at(event, {"data", "check"});
  return format("{} {}: {}{}", severity, text_at(event, {"data", "change"}), text_at(event, {"data", "text"}),
                check.empty() ? "" : format(" [second look: {}]", check));
}

}  // namespace

std::string event_line(const std::string& topic, const Json& event) {
  const std::string time = text_at(event, {"time"});
  // The time of day of an RFC 3339 time.
  const std::string clock = time.size() >= 19 ? time.substr(11, 8) + " " : "";
  const std::string type = text_at(event, {"type"});
  std::string text;
  if (type == "palisade.state.v1") {
    text = state_text(event);
  } else if (type == "palisade.alert.v1") {
    text = alert_line(event);
  } else if (type == "palisade.heartbeat.v1") {
    text = format("up for {} s", number_at(event, {"data", "uptime_ms"}) / 1000);
  } else {
    text = answer_text(event);
  }
  return escaped(clock + short_name(topic) + ": " + text);
}

}  // namespace palisade
