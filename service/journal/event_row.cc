#include "service/journal/event_row.h"

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "base/format.h"
#include "base/json.h"
#include "base/time_text.h"

namespace palisade {
namespace {

EventKind kind_of(const std::string& type, const std::string& topic) {
  for (const EventKind kind :
       {EventKind::kAnswer, EventKind::kState, EventKind::kHeartbeat, EventKind::kAlert}) {
    if (type == type_of(kind)) return kind;
  }
  throw Error(topic + ": an event of unknown type '" + type + "'");
}

std::optional<double> probability(EventKind kind, const Json& data) {
  if (kind == EventKind::kAlert) return data.at("p").get<double>();
  const auto choices = data.find("choices");
  if (choices == data.end() || choices->empty()) return std::nullopt;
  double most = 0;
  for (const Json& choice : *choices) {
    const auto& text = choice.at("text").get_ref<const std::string&>();
    const double p = choice.at("p").get<double>();
    if (text == "yes" || text == "true") return p;
    most = std::max(most, p);
  }
  return most;
}

std::string searched_text(EventKind kind, const Json& data) {
  if (kind == EventKind::kState) {
    const std::string reason = data.value("reason", "");
    return data.at("state").get<std::string>() + (reason.empty() ? "" : ": " + reason);
  }
  if (kind == EventKind::kAlert)
    return format("{}: {}", data.at("change").get<std::string>(), data.at("text").get<std::string>());
  return data.value("text", "");
}

}  // namespace

EventRow event_row(const std::string& topic, const std::string& body) {
  const Json event = parse_json(body, topic);
  try {
    EventRow row{.id = event.at("id").get<std::string>(),
                 .topic = topic,
                 .stream = event.at("subject").get<std::string>(),
                 .task = topic.substr(topic.rfind('/') + 1),
                 .kind = kind_of(event.at("type").get<std::string>(), topic)};
    const auto& sequence = event.at("sequence").get_ref<const std::string&>();
    std::from_chars(sequence.data(), sequence.data() + sequence.size(), row.sequence);
    const auto time = time_of(event.at("time").get_ref<const std::string&>());
    if (!time) throw Error(topic + ": an event without a time");
    row.time_ms = std::chrono::floor<std::chrono::milliseconds>(time->time_since_epoch()).count();
    row.p = probability(row.kind, event.at("data"));
    row.text = searched_text(row.kind, event.at("data"));
    return row;
  } catch (const Json::exception& error) {
    throw Error(topic + ": not an event: " + error.what());
  }
}

std::vector<std::string> PictureHashes::all() const {
  std::vector<std::string> hashes = frames;
  if (!view.empty()) hashes.push_back(view);
  return hashes;
}

PictureHashes picture_hashes_of(const std::string& body, const std::string& topic) {
  const Json event = parse_json(body, topic);
  PictureHashes hashes;
  try {
    const Json& data = event.at("data");
    if (!data.contains("frames")) return hashes;
    for (const Json& frame : data.at("frames"))
      hashes.frames.push_back(frame.at("sha256").get<std::string>());
    if (data.contains("view")) hashes.view = data.at("view").at("sha256").get<std::string>();
  } catch (const Json::exception& error) {
    throw Error(topic + ": not an event: " + error.what());
  }
  return hashes;
}

}  // namespace palisade
