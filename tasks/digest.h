#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/json.h"

namespace palisade {

// Something that was said, once or more often, with the events that said it. Nothing in it is new: `text` is
// that of an event.
struct DigestEntry {
  enum class Kind { kAlert, kAnswer, kState };
  Kind kind = Kind::kAnswer;
  std::string stream;
  std::string task;      // last word of the topic: the task, the rule, or "state"
  std::string severity;  // of an alert
  std::string text;
  bool over = false;  // of an alert: it was cleared
  WallTime first{};
  WallTime last{};
  std::uint64_t count = 0;       // how often; of an alert 1
  std::vector<std::string> ids;  // of its events, oldest first; at most kMaxDigestIds
};
inline constexpr std::size_t kMaxDigestIds = 1000;

// What happened between two times: events in the order in which they were published, alerts and states one by
// one, answers of a task with the same words (words_alone()) together.
class Digest {
 public:
  // Heartbeats, and answers that only repeat another, add to what is there. Throws Error where it is no
  // event.
  void take(const std::string& topic, const Json& event);
  // By stream and task: alerts and states by time, answers the most frequent first.
  std::vector<DigestEntry> entries() const;
  std::uint64_t answers() const { return answers_; }

 private:
  void take_answer(DigestEntry entry);
  void take_alert(DigestEntry entry, const Json& data);

  using Key = std::pair<std::string, std::string>;              // stream and task
  std::map<Key, std::map<std::string, DigestEntry>> answered_;  // by words
  std::map<std::string, DigestEntry> alerts_;                   // by the alert's id
  std::vector<DigestEntry> states_;
  std::uint64_t answers_ = 0;
};

Json to_json(const DigestEntry& entry);

}  // namespace palisade
