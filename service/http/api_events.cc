#include <charconv>

#include "base/error.h"
#include "base/format.h"
#include "base/moment.h"
#include "service/http/api.h"
#include "service/http/exchange.h"
#include "service/http/meant_event.h"
#include "service/http/query_values.h"
#include "service/journal/contact_sheet.h"
#include "service/journal/event_query.h"
#include "service/journal/event_row.h"
#include "service/journal/event_upkeep.h"
#include "service/journal/frame_files.h"
#include "service/journal/likeness.h"

namespace palisade {
namespace {

using Exchange = std::shared_ptr<HttpExchange>;

constexpr std::size_t kEventsByDefault = 50, kMaxEvents = 1000;
constexpr std::int64_t kMaxPosition = (std::int64_t(1) << 53) - 1;
constexpr std::ptrdiff_t kMaxWordsAsked = 200;
constexpr std::size_t kMaxVerdictBytes = 64u << 10;

// As JavaScript can hold it.
std::optional<std::int64_t> position_asked(const HttpRequest& request, const char* name) {
  const auto position = number_of<std::int64_t>(request, name);
  if (position && (*position < 0 || *position > kMaxPosition))
    throw UsageError(format("{} is a position", name));
  return position;
}

std::optional<EventKind> kind_asked(const HttpRequest& request) {
  const auto kind = request.asked("kind");
  if (!kind) return std::nullopt;
  if (*kind == "answer") return EventKind::kAnswer;
  if (*kind == "state") return EventKind::kState;
  if (*kind == "alert") return EventKind::kAlert;
  throw UsageError(format("kind is answer, state or alert, not '{}'", *kind));
}

EventFilter filter_asked(const HttpRequest& request) {
  EventFilter filter{.words = request.asked("text").value_or(""),
                     .stream = request.asked("stream").value_or(""),
                     .task = request.asked("task").value_or(""),
                     .kind = kind_asked(request),
                     .min_p = number_of<double>(request, "p_min"),
                     .before = position_asked(request, "before")};
  if (const auto after = position_asked(request, "after")) filter.after = *after;
  // Without a position the newest come first.
  filter.newest_first = !request.asked("after");
  if (const auto from = request.asked("from")) filter.from_ms = moment_ms(*from, "from");
  if (const auto to = request.asked("to")) filter.to_ms = moment_ms(*to, "to");
  // Its length is in characters, as the description has it.
  if (std::ranges::count_if(filter.words, [](char c) { return (c & 0xc0) != 0x80; }) > kMaxWordsAsked)
    throw UsageError(format("text is at most {} characters", kMaxWordsAsked));
  filter.limit = kEventsByDefault;
  if (const auto limit = number_of<std::size_t>(request, "limit")) filter.limit = *limit;
  if (filter.limit < 1 || filter.limit > kMaxEvents) throw UsageError(format("limit is 1 to {}", kMaxEvents));
  return filter;
}

Json json_of(const StoredEvent& event) {
  return {{"position", event.position},
          {"topic", event.topic},
          {"kept", event.kept},
          {"event", parse_json(event.body, event.topic)}};
}

MeantEvent meant_by(HttpApi& api, const Exchange& exchange) {
  return meant_event(api, *exchange, exchange->request().parts.at("id"));
}

// Those that the holder may see, each with what somebody has said of it.
Json shown(const HttpExchange& exchange, const std::filesystem::path& folder,
           const std::vector<StoredEvent>& events) {
  std::vector<std::string> ids;
  for (const StoredEvent& event : events) ids.push_back(event.id);
  const std::map<std::string, Judgement> judgements = judgements_of(folder, ids);
  Json list = Json::array();
  for (const StoredEvent& event : events) {
    Json json = json_of(event);
    if (!exchange.holder().may_see(json["event"].value("subject", ""))) continue;
    if (const auto verdict = judgements.find(event.id); verdict != judgements.end()) {
      json["verdict"] = {{"right", verdict->second.right}};
      if (!verdict->second.text.empty()) json["verdict"]["text"] = verdict->second.text;
    }
    list.push_back(std::move(json));
  }
  return list;
}

// Those whose pictures mean the most similar to that of an event, as far as the filter lets them.
void send_alike(HttpApi& api, const Exchange& exchange, const std::string& id, const EventFilter& filter) {
  const MeantEvent meant = meant_event(api, *exchange, id, "like");
  EventQuery query(meant.folder);
  Json events = Json::array();
  for (const AlikeEvent& alike : alike_events(meant.folder, meant.stored.position, kMaxEvents)) {
    if (events.size() == filter.limit) break;
    for (Json& json : shown(*exchange, meant.folder, query.at({alike.position}))) {
      if (!filter.stream.empty() && json["event"].value("subject", "") != filter.stream) continue;
      json["cosine"] = alike.cosine;
      events.push_back(std::move(json));
    }
  }
  exchange->respond(json_response({{"events", std::move(events)}}));
}

void send_events(HttpApi& api, const Exchange& exchange) {
  const HttpRequest& request = exchange->request();
  EventFilter filter = filter_asked(request);
  if (!filter.stream.empty() && !exchange->holder().may_see(filter.stream))
    return exchange->fail({.status = 404,
                           .message = format("there is no stream '{}'", filter.stream),
                           .code = "not_found",
                           .param = "stream"});
  if (const auto id = request.asked("like")) return send_alike(api, exchange, *id, filter);
  const auto folder = journal_folder(api);
  EventQuery query(folder);
  const std::vector<StoredEvent> found = query.find(filter);
  Json answer = {{"events", shown(*exchange, folder, found)}};
  // Where to go on: `before` this towards older events, `after` it towards newer ones.
  if (found.size() == filter.limit) answer["next"] = found.back().position;
  exchange->respond(json_response(answer));
}

void send_event(HttpApi& api, const Exchange& exchange) {
  const MeantEvent meant = meant_by(api, exchange);
  exchange->respond(json_response(shown(*exchange, meant.folder, {meant.stored}).front()));
}

void send_jpeg(const Exchange& exchange, const Image& image) {
  exchange->respond(
      {.type = "image/jpeg", .body = encode_frame(image, FrameStorage::kJpeg).bytes, .headers = {}});
}

void send_stored(const Exchange& exchange, const std::optional<EncodedFrame>& frame) {
  if (!frame)
    return exchange->fail(
        {.status = 410, .message = "this picture is not kept, or no longer", .code = "gone"});
  if (frame->format == "jpeg")
    return exchange->respond({.type = "image/jpeg", .body = frame->bytes, .headers = {}});
  send_jpeg(exchange, decode_frame(*frame));
}

// Frame I of an event, from 1.
void send_frame(HttpApi& api, const Exchange& exchange) {
  const MeantEvent meant = meant_by(api, exchange);
  const std::string& text = exchange->request().parts.at("number");
  std::size_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  const auto hashes = picture_hashes_of(meant.stored.body, meant.stored.topic).frames;
  if (number < 1 || number > hashes.size())
    return exchange->fail(
        {.status = 404, .message = format("the event has {} frames", hashes.size()), .code = "not_found"});
  send_stored(exchange, stored_frames(meant.folder, meant.stored.id, {hashes[number - 1]}).front());
}

// Of an event that never had any: a state, an alert.
void say_without_pictures(const Exchange& exchange) {
  exchange->fail({.status = 404, .message = "no pictures were kept of this event", .code = "not_found"});
}

void send_view(HttpApi& api, const Exchange& exchange) {
  const MeantEvent meant = meant_by(api, exchange);
  const std::string hash = picture_hashes_of(meant.stored.body, meant.stored.topic).view;
  if (hash.empty()) return say_without_pictures(exchange);
  send_stored(exchange, stored_frames(meant.folder, meant.stored.id, {hash}).front());
}

void send_sheet(HttpApi& api, const Exchange& exchange) {
  const MeantEvent meant = meant_by(api, exchange);
  const auto frames = stored_frames(meant.folder, meant.stored.id,
                                    picture_hashes_of(meant.stored.body, meant.stored.topic).frames);
  if (frames.empty()) return say_without_pictures(exchange);
  if (std::ranges::none_of(frames, [](const auto& one) { return one.has_value(); }))
    return exchange->fail(
        {.status = 410, .message = "its frames are not kept, or no longer", .code = "gone"});
  send_jpeg(exchange, contact_sheet(frames));
}

void send_nothing(const Exchange& exchange) {
  exchange->respond({.status = 204, .headers = {}});
}

void keep_pictures_of(const MeantEvent& meant) {
  keep_frames(meant.folder, meant.stored.id, picture_hashes_of(meant.stored.body, meant.stored.topic).all());
}

void keep_it(HttpApi& api, const Exchange& exchange) {
  const MeantEvent meant = meant_by(api, exchange);
  const bool kept = exchange->request().method == HttpMethod::kPut;
  keep_event(meant.folder, meant.stored.id, kept);
  if (kept) keep_pictures_of(meant);
  send_nothing(exchange);
}

// {"right": true}, or {"right": false, "text": "a blue car"}.
void judge_it(HttpApi& api, const Exchange& exchange) {
  const MeantEvent meant = meant_by(api, exchange);
  if (exchange->request().method == HttpMethod::kDelete) {
    judge_event(meant.folder, meant.stored.id, std::nullopt);
    return send_nothing(exchange);
  }
  Json json;
  try {
    json = parse_json(exchange->request().body, "the verdict");
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
  if (!json.is_object() || !json.contains("right") || !json["right"].is_boolean() ||
      (json.contains("text") && !json["text"].is_string()) ||
      json.size() > 1 + std::size_t(json.contains("text")))
    throw UsageError(R"(a verdict is {"right": true} or {"right": false, "text": "what would be right"})");
  const Judgement verdict{.right = json["right"].get<bool>(), .text = json.value("text", "")};
  if (verdict.right && !verdict.text.empty())
    throw UsageError("text is the right answer, where the event's is wrong");
  judge_event(meant.folder, meant.stored.id, verdict);
  keep_pictures_of(meant);
  send_nothing(exchange);
}

}  // namespace

void add_event_routes(HttpRouter& router, HttpApi& api) {
  const auto add = [&](HttpMethod method, const char* pattern, HttpScope scope, HttpJob job,
                       std::size_t body_bytes = 0) {
    add_route(router, api, {.method = method, .pattern = pattern, .scope = scope, .body_bytes = body_bytes},
              job);
  };
  add(HttpMethod::kGet, "/api/v1/events", HttpScope::kView, send_events);
  add(HttpMethod::kGet, "/api/v1/events/{id}", HttpScope::kView, send_event);
  add(HttpMethod::kGet, "/api/v1/events/{id}/frames/{number}.jpg", HttpScope::kView, send_frame);
  add(HttpMethod::kGet, "/api/v1/events/{id}/sheet.jpg", HttpScope::kView, send_sheet);
  add(HttpMethod::kGet, "/api/v1/events/{id}/view.jpg", HttpScope::kView, send_view);
  add(HttpMethod::kPut, "/api/v1/events/{id}/kept", HttpScope::kAsk, keep_it);
  add(HttpMethod::kDelete, "/api/v1/events/{id}/kept", HttpScope::kAsk, keep_it);
  add(HttpMethod::kPut, "/api/v1/events/{id}/verdict", HttpScope::kAsk, judge_it, kMaxVerdictBytes);
  add(HttpMethod::kDelete, "/api/v1/events/{id}/verdict", HttpScope::kAsk, judge_it);
}

}  // namespace palisade
