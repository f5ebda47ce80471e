#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/json.h"

namespace palisade {

enum class EventKind { kAnswer, kState, kHeartbeat, kAlert };

// What subscribers receive, a CloudEvents 1.0 envelope around `data`. Whoever makes an event leaves `id` and
// `sequence` to the publisher, which counts them per topic.
struct Event {
  EventKind kind = EventKind::kAnswer;
  std::string topic;    // "palisade/v1/front_door/caption"; not part of the JSON
  std::string source;   // "palisade://node-1/streams/front_door"
  std::string subject;  // the stream
  WallTime time{};
  Json data;
  std::string id;  // a ULID
  std::uint64_t sequence = 0;
};

// Events stay below this, as JSON text.
inline constexpr std::size_t kMaxEventBytes = 64u << 10;

std::string_view type_of(EventKind kind);           // "palisade.answer.v1"
std::string sequence_text(std::uint64_t sequence);  // 12 digits

std::string answer_topic(std::string_view stream, std::string_view name);
std::string state_topic(std::string_view stream);
std::string alert_topic(std::string_view stream, std::string_view rule);
inline constexpr std::string_view kHeartbeatTopic = "palisade/v1/service/heartbeat";
std::string stream_source(std::string_view node, std::string_view stream);

// One line of UTF-8 JSON below kMaxEventBytes: an answer that would be longer loses the end of its token_ids
// and text and says so with "truncated": true. Bytes that are not UTF-8 become U+FFFD.
std::string to_json_line(const Event& event);
// The same event with the attribute "journaled": false, as it is sent before it is stored.
std::string marked_unstored(std::string_view json_line);

}  // namespace palisade
