#include "tasks/events/event.h"

#include "base/format.h"
#include "base/time_text.h"

namespace palisade {
namespace {

constexpr std::string_view kUnstored = "\"journaled\":false,";

std::string dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string_view schema_of(EventKind kind) {
  switch (kind) {
    case EventKind::kAnswer:
      return "palisade:/schema/answer.v1.json";
    case EventKind::kState:
      return "palisade:/schema/state.v1.json";
    case EventKind::kHeartbeat:
      return "palisade:/schema/heartbeat.v1.json";
    case EventKind::kAlert:
      return "palisade:/schema/alert.v1.json";
  }
  return {};
}

Json envelope(const Event& event) {
  return {{"specversion", "1.0"},
          {"id", event.id},
          {"source", event.source},
          {"type", type_of(event.kind)},
          {"subject", event.subject},
          {"time", time_text(event.time)},
          {"datacontenttype", "application/json"},
          {"dataschema", schema_of(event.kind)},
          {"sequence", sequence_text(event.sequence)},
          {"data", event.data}};
}

// Cuts before a byte that continues a character, so that what is left is still UTF-8.
void cut(std::string& text, std::size_t size) {
  if (size >= text.size()) return;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
  text.resize(size);
}

// Halves text, token ids and boxes until the event fits.
void shorten(Json& data) {
  data["truncated"] = true;
  for (const char* const key : {"text", "prompt", "reason"}) {
    if (!data.contains(key)) continue;
    auto& text = data[key].get_ref<std::string&>();
    cut(text, text.size() / 2);
  }
  for (const char* const key : {"token_ids", "token_logprobs", "top_tokens", "boxes", "malformed"}) {
    if (!data.contains(key)) continue;
    auto& list = data[key].get_ref<Json::array_t&>();
    list.resize(list.size() / 2);
  }
}

}  // namespace

std::string_view type_of(EventKind kind) {
  switch (kind) {
    case EventKind::kAnswer:
      return "palisade.answer.v1";
    case EventKind::kState:
      return "palisade.state.v1";
    case EventKind::kHeartbeat:
      return "palisade.heartbeat.v1";
    case EventKind::kAlert:
      return "palisade.alert.v1";
  }
  return {};
}

std::string sequence_text(std::uint64_t sequence) {
  return format("{:012}", sequence);
}

std::string answer_topic(std::string_view stream, std::string_view name) {
  return "palisade/v1/" + std::string(stream) + "/" + std::string(name);
}

std::string alert_topic(std::string_view stream, std::string_view rule) {
  return format("palisade/v1/{}/rule/{}", stream, rule);
}

std::string state_topic(std::string_view stream) {
  return answer_topic(stream, "state");
}

std::string stream_source(std::string_view node, std::string_view stream) {
  return "palisade://" + std::string(node) + "/streams/" + std::string(stream);
}

std::string to_json_line(const Event& event) {
  Json json = envelope(event);
  std::string line = dumped(json);
  // After a dozen halvings nothing of a text is left.
  for (int halved = 0; line.size() + kUnstored.size() >= kMaxEventBytes && halved < 16; ++halved) {
    shorten(json["data"]);
    line = dumped(json);
  }
  return line;
}

std::string marked_unstored(std::string_view json_line) {
  std::string marked(json_line.substr(0, 1));  // the brace
  marked += kUnstored;
  marked += json_line.substr(1);
  return marked;
}

}  // namespace palisade
