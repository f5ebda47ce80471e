#include <algorithm>

#include "base/error.h"
#include "base/format.h"
#include "base/json.h"
#include "base/moment.h"
#include "base/time_text.h"
#include "service/http/api.h"
#include "service/http/query_values.h"
#include "service/journal/event_query.h"
#include "service/journal/event_row.h"
#include "service/journal/event_summary.h"
#include "service/journal/event_upkeep.h"

namespace palisade {
namespace {

using Exchange = std::shared_ptr<HttpExchange>;

constexpr std::int64_t kDayMs = 24LL * 3600 * 1000;
constexpr std::size_t kPartsByDefault = 96, kMaxParts = 1440;
constexpr std::size_t kReliabilityBins = 10, kHistogramBins = 20;
constexpr std::size_t kExamplesByDefault = 1000, kMaxExamples = 10'000;

std::filesystem::path journal_of(const HttpApi& api) {
  const auto folder = api.backend.journal();
  if (!folder)
    throw Unavailable("this service keeps no journal (journal: off), so there is nothing to sum up");
  return *folder;
}

// What has happened by now lies before it.
std::int64_t end_of_now_ms() {
  return std::chrono::floor<std::chrono::milliseconds>(wall_now().time_since_epoch()).count() + 1;
}

std::string text_of_ms(std::int64_t ms) {
  return time_text(WallTime(std::chrono::milliseconds(ms)));
}

// Throws UsageError, and HttpFault for a stream that the holder may not see.
SummarySpan span_asked(const Exchange& exchange, std::int64_t days) {
  const HttpRequest& request = exchange->request();
  SummarySpan span{.from_ms = 0,
                   .to_ms = end_of_now_ms(),
                   .stream = request.asked("stream").value_or(""),
                   .task = request.asked("task").value_or("")};
  if (const auto to = request.asked("to")) span.to_ms = moment_ms(*to, "to");
  span.from_ms = span.to_ms - days * kDayMs;
  if (const auto from = request.asked("from")) span.from_ms = moment_ms(*from, "from");
  if (span.from_ms >= span.to_ms) throw UsageError("from is before to");
  if (!exchange->holder().streams.empty() && span.stream.empty())
    throw UsageError("this token is for some streams; name one with stream=");
  if (!span.stream.empty() && !exchange->holder().may_see(span.stream))
    throw HttpFault({.status = 404,
                     .message = format("there is no stream '{}'", span.stream.substr(0, 64)),
                     .code = "not_found",
                     .param = "stream"});
  return span;
}

Json json_of(const StageTimes& times) {
  return {{"p50", times.p50}, {"p95", times.p95}};
}

Json stages_json(const AnswerStages& stages) {
  return {{"answers", stages.answers},
          {"queued", json_of(stages.wait)},
          {"encode", json_of(stages.encode)},
          {"prefill", json_of(stages.prefill)},
          {"decode", json_of(stages.decode)}};
}

Json journal_json(HttpApi& api) {
  const auto folder = api.backend.journal();
  const auto status = api.backend.journal_status();
  if (!folder || !status) return nullptr;
  const JournalExtent extent = journal_extent(*folder);
  Json json = {{"storing", status->storing},
               {"waiting", status->waiting},
               {"lost", status->lost},
               {"events", extent.events},
               {"bytes", extent.bytes},
               {"free_bytes", extent.free_bytes},
               {"limit_bytes", api.backend.journal_bytes()}};
  if (!status->storing) json["reason"] = status->reason;
  if (extent.oldest_ms) json["oldest"] = text_of_ms(*extent.oldest_ms);
  return json;
}

// The address is for who may change the service: it may be a path of its machine.
Json sinks_json(const HttpApi& api, bool with_address) {
  const std::string since = time_text(wall_now() - api.backend.uptime());
  Json sinks = Json::array();
  for (const HttpSink& sink : api.backend.sinks()) {
    Json json = {{"name", sink.name},
                 {"waiting", sink.waiting},
                 {"sent", sink.sent},
                 {"lost", sink.lost},
                 {"since", since}};
    if (with_address && !sink.address.empty()) json["address"] = sink.address;
    sinks.push_back(std::move(json));
  }
  return sinks;
}

void send_status(HttpApi& api, const Exchange& exchange) {
  const EngineModel& model = api.backend.model();
  const ModelIdentity identity = model.identity();
  Json json = {{"version", PALISADE_VERSION},
               {"node", api.backend.node()},
               {"time", time_text(wall_now())},
               {"uptime_seconds", api.backend.uptime().count()},
               {"waiting", api.backend.waiting()},
               {"model",
                {{"id", identity.id},
                 {"precision", identity.precision},
                 {"side", model.image_size()},
                 {"image_tokens", model.image_tokens()},
                 {"demo", api.backend.demo_model()}}},
               {"stages", stages_json(api.backend.meter().stages())},
               {"journal", journal_json(api)},
               {"sinks", sinks_json(api, exchange->holder().scope == HttpScope::kAdmin)},
               {"calibrated", api.backend.certainty() != nullptr}};
  if (const std::string reason = api.backend.not_ready(); !reason.empty()) json["not_ready"] = reason;
  exchange->respond(json_response(json));
}

void send_timeline(HttpApi& api, const Exchange& exchange) {
  const SummarySpan span = span_asked(exchange, 1);
  const std::size_t parts = number_of<std::size_t>(exchange->request(), "bins").value_or(kPartsByDefault);
  if (parts < 1 || parts > kMaxParts) throw UsageError(format("bins is 1 to {}", kMaxParts));
  Json streams = Json::array();
  for (const StreamTimeline& timeline : timelines_of(journal_of(api), span, parts)) {
    Json states = Json::array();
    for (const StreamTimeline::State& state : timeline.states)
      states.push_back(
          {{"from", text_of_ms(state.from_ms)}, {"to", text_of_ms(state.to_ms)}, {"state", state.state}});
    streams.push_back({{"name", timeline.stream},
                       {"answers", timeline.answers},
                       {"alerts", timeline.alerts},
                       {"states", std::move(states)}});
  }
  exchange->respond(json_response({{"from", text_of_ms(span.from_ms)},
                                   {"to", text_of_ms(span.to_ms)},
                                   {"bins", parts},
                                   {"streams", std::move(streams)}}));
}

struct ReliabilityBin {
  std::size_t judged = 0, confirmed = 0;
  double sum_p = 0;
};

void send_calibration(HttpApi& api, const Exchange& exchange) {
  const SummarySpan span = span_asked(exchange, 30);
  const auto folder = journal_of(api);
  ReliabilityBin all, bins[kReliabilityBins];
  for (const JudgedProbability& answer : judged_probabilities(folder, span)) {
    const double p = std::clamp(answer.p, 0.0, 1.0);
    for (ReliabilityBin* const bin :
         {&all, &bins[std::min(std::size_t(p * kReliabilityBins), kReliabilityBins - 1)]}) {
      ++bin->judged;
      bin->confirmed += answer.confirmed ? 1 : 0;
      bin->sum_p += p;
    }
  }
  Json list = Json::array();
  for (std::size_t i = 0; i < kReliabilityBins; ++i) {
    Json bin = {{"from", double(i) / kReliabilityBins},
                {"to", double(i + 1) / kReliabilityBins},
                {"judged", bins[i].judged},
                {"confirmed", bins[i].confirmed}};
    if (bins[i].judged > 0) bin["mean_p"] = bins[i].sum_p / double(bins[i].judged);
    list.push_back(std::move(bin));
  }
  exchange->respond(json_response({{"judged", all.judged},
                                   {"confirmed", all.confirmed},
                                   {"bins", std::move(list)},
                                   {"histogram", probability_counts(folder, span, kHistogramBins)}}));
}

// A line for `palisade transfer`: its pictures are named by their paths below /api/v1. Nothing where the
// right answer is not known or no frames were kept.
std::optional<Json> example_of(const StoredEvent& event, const Judgement& verdict) {
  const Json json = parse_json(event.body, event.topic);
  const Json& data = json.at("data");
  const std::string right = verdict.right ? data.value("text", "") : verdict.text;
  const std::size_t frames = picture_hashes_of(event.body, event.topic).frames.size();
  if (right.empty() || frames == 0) return std::nullopt;
  Json images = Json::array();
  for (std::size_t i = 1; i <= frames; ++i) images.push_back(format("events/{}/frames/{}.jpg", event.id, i));
  return Json{{"id", event.id},
              {"images", std::move(images)},
              {"prefix", data.value("prompt", "")},
              {"suffix", right}};
}

void send_examples(HttpApi& api, const Exchange& exchange) {
  const auto folder = journal_of(api);
  const std::size_t limit = number_of<std::size_t>(exchange->request(), "limit").value_or(kExamplesByDefault);
  if (limit < 1 || limit > kMaxExamples) throw UsageError(format("limit is 1 to {}", kMaxExamples));
  EventQuery query(folder);
  std::string lines;
  std::size_t count = 0;
  const std::vector<std::string> judged = judged_events(folder);
  for (auto id = judged.rbegin(); id != judged.rend() && count < limit; ++id) {
    const StoredEvent event = query.event(*id);
    const auto verdict = judgement_of(folder, *id);
    if (!verdict || !exchange->holder().may_see(parse_json(event.body, event.topic).value("subject", "")))
      continue;
    if (const auto example = example_of(event, *verdict)) {
      lines += example->dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
      ++count;
    }
  }
  exchange->respond({.type = "application/x-ndjson", .body = std::move(lines), .headers = {}});
}

}  // namespace

void add_summary_routes(HttpRouter& router, HttpApi& api) {
  const auto add = [&](const char* pattern, HttpScope scope, HttpJob job) {
    add_route(router, api, {.pattern = pattern, .scope = scope}, job);
  };
  add("/api/v1/status", HttpScope::kView, send_status);
  add("/api/v1/timeline", HttpScope::kView, send_timeline);
  add("/api/v1/calibration", HttpScope::kView, send_calibration);
  add("/api/v1/examples.jsonl", HttpScope::kEdit, send_examples);
}

}  // namespace palisade
