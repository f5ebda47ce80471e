#include "service/events/replay_request.h"

#include <charconv>

#include "base/error.h"
#include "base/format.h"
#include "base/json.h"
#include "tasks/events/event.h"

namespace palisade {
namespace {

constexpr std::size_t kMaxAskedTopics = 64, kMaxAskedTopicBytes = 256;
constexpr char kForms[] =
    R"(the request is {"after": {"TOPIC": "SEQUENCE"}}, {"position": NUMBER, "prefix": "TOPIC..."}, )"
    R"({"position": "end"} or {"last": "TOPIC..."})";

std::uint64_t sequence_of(const Json& value) {
  std::uint64_t sequence = 0;
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), sequence);
    if (error == std::errc() && end == text.data() + text.size() && sequence < std::uint64_t(1) << 62)
      return sequence;
  }
  throw Error(R"(a sequence is its digits in a string, as events have it: "000000000400")");
}

std::string topic_text(const Json& value) {
  if (!value.is_string() || value.get_ref<const std::string&>().size() > kMaxAskedTopicBytes)
    throw Error(format("a topic is a string of at most {} bytes", kMaxAskedTopicBytes));
  return value.get<std::string>();
}

AfterSequences after_of(const Json& topics) {
  if (!topics.is_object() || topics.empty() || topics.size() > kMaxAskedTopics)
    throw Error(format("\"after\" names 1 to {} topics", kMaxAskedTopics));
  AfterSequences after;
  for (const auto& [topic, sequence] : topics.items())
    after.sequences[topic_text(topic)] = sequence_of(sequence);
  return after;
}

ReplayRequest position_of(const Json& request) {
  const Json& position = request["position"];
  if (position == "end" && request.size() == 1) return JournalEnd{};
  if (!position.is_number_integer() || position.get<std::int64_t>() < 0)
    throw Error("\"position\" is a whole number of an earlier answer, 0 or \"end\"");
  AfterPosition after{.position = position.get<std::int64_t>()};
  if (request.contains("prefix")) after.prefix = topic_text(request["prefix"]);
  if (request.size() != (request.contains("prefix") ? 2U : 1U)) throw Error(kForms);
  return after;
}

}  // namespace

ReplayRequest replay_request_of(std::string_view text) {
  const Json request = parse_json(text, "the request");
  if (!request.is_object()) throw Error(kForms);
  if (request.contains("position")) return position_of(request);
  if (request.size() != 1) throw Error(kForms);
  if (request.contains("after")) return after_of(request["after"]);
  if (request.contains("last")) return LastEvents{topic_text(request["last"])};
  throw Error(kForms);
}

std::string header_of(const ReplayAnswer& answer) {
  Json missing = Json::object();
  for (const auto& [topic, sequences] : answer.missing) {
    Json& list = missing[topic] = Json::array();
    for (const std::uint64_t sequence : sequences) list.push_back(sequence_text(sequence));
  }
  const Json header = {{"position", answer.position}, {"more", answer.more}, {"missing", std::move(missing)}};
  return header.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace palisade
