#include "tasks/digest.h"

#include <algorithm>
#include <tuple>

#include "base/error.h"
#include "base/format.h"
#include "base/time_text.h"
#include "tasks/events/event.h"
#include "tasks/repeats.h"

namespace palisade {
namespace {

void add(DigestEntry& entry, const DigestEntry& more) {
  ++entry.count;
  entry.first = std::min(entry.first, more.first);
  entry.last = std::max(entry.last, more.last);
  if (entry.ids.size() < kMaxDigestIds) entry.ids.push_back(more.ids.front());
}

std::string_view name_of(DigestEntry::Kind kind) {
  return kind == DigestEntry::Kind::kAlert    ? "alert"
         : kind == DigestEntry::Kind::kAnswer ? "answer"
                                              : "state";
}

}  // namespace

void Digest::take(const std::string& topic, const Json& event) {
  try {
    const auto& type = event.at("type").get_ref<const std::string&>();
    if (type == type_of(EventKind::kHeartbeat)) return;
    const Json& data = event.at("data");
    const auto time = time_of(event.at("time").get_ref<const std::string&>());
    if (!time) throw Error(format("{}: an event without a time", topic));
    DigestEntry entry{.stream = event.at("subject").get<std::string>(),
                      .task = topic.substr(topic.rfind('/') + 1),
                      .first = *time,
                      .last = *time,
                      .count = 1,
                      .ids = {event.at("id").get<std::string>()}};
    if (type == type_of(EventKind::kAlert)) {
      take_alert(std::move(entry), data);
    } else if (type == type_of(EventKind::kAnswer)) {
      entry.text = data.at("text").get<std::string>();
      take_answer(std::move(entry));
    } else {
      entry.kind = DigestEntry::Kind::kState;
      entry.text = data.at("state").get<std::string>();
      if (data.contains("reason")) entry.text += format(": {}", data.at("reason").get<std::string>());
      states_.push_back(std::move(entry));
    }
  } catch (const Json::exception& error) {
    throw Error(format("{}: not an event: {}", topic, error.what()));
  }
}

void Digest::take_answer(DigestEntry entry) {
  ++answers_;
  const std::string words = words_alone(entry.text);
  const auto [known, is_new] = answered_[{entry.stream, entry.task}].try_emplace(words, entry);
  if (!is_new) add(known->second, entry);
}

void Digest::take_alert(DigestEntry entry, const Json& data) {
  entry.kind = DigestEntry::Kind::kAlert;
  entry.text = data.at("text").get<std::string>();
  entry.severity = data.at("severity").get<std::string>();
  const bool cleared = data.at("change").get_ref<const std::string&>() == "cleared";
  const auto [known, is_new] = alerts_.try_emplace(data.at("alert").get<std::string>(), entry);
  if (!is_new) {
    add(known->second, entry);
    known->second.count = 1;
  }
  known->second.over = cleared;
}

std::vector<DigestEntry> Digest::entries() const {
  std::vector<DigestEntry> all = states_;
  for (const auto& [id, alert] : alerts_) all.push_back(alert);
  for (const auto& [key, by_words] : answered_) {
    for (const auto& [words, entry] : by_words) all.push_back(entry);
  }
  std::ranges::stable_sort(all, [](const DigestEntry& a, const DigestEntry& b) {
    if (std::tie(a.stream, a.kind, a.task) != std::tie(b.stream, b.kind, b.task))
      return std::tie(a.stream, a.kind, a.task) < std::tie(b.stream, b.kind, b.task);
    if (a.kind == DigestEntry::Kind::kAnswer && a.count != b.count) return a.count > b.count;
    return a.first < b.first;
  });
  return all;
}

Json to_json(const DigestEntry& entry) {
  Json json = {{"kind", name_of(entry.kind)},
               {"stream", entry.stream},
               {"task", entry.task},
               {"text", entry.text},
               {"count", entry.count},
               {"first", time_text(entry.first)},
               {"last", time_text(entry.last)},
               {"ids", entry.ids}};
  if (entry.kind == DigestEntry::Kind::kAlert) {
    json["severity"] = entry.severity;
    json["over"] = entry.over;
  }
  return json;
}

}  // namespace palisade
