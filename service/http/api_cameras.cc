#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/format.h"
#include "service/http/base64.h"
#include "service/http/question.h"
#include "service/http/stream_settings.h"
#include "service/journal/frame_codec.h"

namespace palisade {
namespace {

using Exchange = std::shared_ptr<HttpExchange>;

constexpr std::size_t kMaxEntryBytes = 64u << 10;
constexpr char kNewStream[] = "new-stream";  // of an entry without a name

// A stream's entry of a request's body, completed by what is kept of the stream of its name.
struct Entry {
  std::string name;
  Json settings;
  std::vector<HttpProblem> problems;
};

// Throws UsageError, and HttpFault where the entry is that of a stream which the holder may not see.
Entry entry_of(HttpApi& api, const Exchange& exchange) {
  Json asked = body_of(exchange->request());
  if (!asked.contains("name")) asked["name"] = kNewStream;
  if (!asked["name"].is_string()) throw UsageError("name is text");
  Entry entry{.name = asked["name"].get<std::string>(), .settings = {}, .problems = {}};
  if (!exchange->holder().may_see(entry.name))
    throw HttpFault({.status = 403, .message = "this token is for other streams", .code = "other_stream"});
  if (!asked.contains("tasks")) asked["tasks"] = Json::array({Json{{"task", "caption"}, {"frames", 1}}});
  const Json now = written_settings(api, entry.name);
  entry.settings = merged_settings(std::move(asked), now);
  entry.problems = settings_faults(entry.settings, now, exchange->holder());
  return entry;
}

std::vector<HttpProblem> problems_of(const Entry& entry, const std::vector<std::string>& lines) {
  std::vector<HttpProblem> problems;
  for (const std::string& line : lines) problems.push_back(problem_of(entry.settings, line));
  return problems;
}

Json json_of(const HttpTrial& trial) {
  Json json = {{"opened", trial.frame.has_value()}, {"seconds", trial.seconds}};
  if (!trial.frame) {
    json["message"] = trial.message;
    return json;
  }
  const Frame& frame = *trial.frame;
  json["width"] = frame.source_width;
  json["height"] = frame.source_height;
  json["picture"] =
      jpeg_url(encode_frame(frame.view.empty() ? frame.image : frame.view, FrameStorage::kJpeg).bytes);
  return json;
}

// Says within 15 s what the camera shows, or why it shows nothing.
void try_camera(HttpApi& api, const Exchange& exchange) {
  const Entry entry = entry_of(api, exchange);
  if (!entry.problems.empty()) return exchange->respond(problems_response(entry.problems));
  std::vector<std::string> problems;
  const bool begun = api.backend.try_stream(
      entry.name, settings_text(entry.settings),
      [exchange](HttpTrial trial) {
        exchange->work(
            [exchange, trial = std::move(trial)] { exchange->respond(json_response(json_of(trial))); });
      },
      problems);
  if (!problems.empty()) return exchange->respond(problems_response(problems_of(entry, problems)));
  if (begun) return;
  HttpResponse busy = error_response(
      {.status = 429, .message = "two addresses are being tried; try again", .code = "too_many_trials"});
  busy.headers.emplace_back("Retry-After", "5");
  exchange->respond(std::move(busy));
}

void send_capacity(HttpApi& api, const Exchange& exchange) {
  const EngineLoad load = api.backend.meter().load(std::chrono::steady_clock::now());
  Json streams = Json::array();
  double people = 0;
  for (const auto& [stream, share] : load.shares) {
    if (stream.empty()) {
      people = share;
    } else if (exchange->holder().may_see(stream)) {
      streams.push_back({{"name", stream}, {"share", share}});
    }
  }
  exchange->respond(json_response({{"used", load.used},
                                   {"free", std::max(0.0, 1 - load.used)},
                                   {"people", people},
                                   {"streams", std::move(streams)}}));
}

std::string plan_text(const HttpForecast& forecast) {
  if (forecast.used <= 1)
    return format("{:.2f} of this machine, {:.2f} would be free", forecast.share,
                  std::max(0.0, 1 - forecast.used));
  return format(
      "{:.2f} of this machine, and all together {:.2f} of it: windows would be left out; ask less often, "
      "with "
      "fewer frames, or fewer tasks",
      forecast.share, forecast.used);
}

Json json_of(const HttpForecast& forecast) {
  return {{"share", forecast.share},
          {"used", forecast.used},
          {"fits", forecast.used <= 1},
          {"plan", plan_text(forecast)}};
}

void send_forecast(HttpApi& api, const Exchange& exchange, const Entry& entry, const AnswerCosts& costs) {
  const HttpForecast forecast = api.backend.forecast(entry.name, settings_text(entry.settings), costs);
  if (!forecast.problems.empty())
    return exchange->respond(problems_response(problems_of(entry, forecast.problems)));
  exchange->respond(json_response(json_of(forecast)));
}

// A service that has not answered yet learns what an answer costs by one question about a grey picture.
void learn_costs(HttpApi& api, const Exchange& exchange, std::function<void(const AnswerCosts&)> then) {
  const int side = api.backend.model().image_size();
  Frame grey{
      .image = Image(side, side, std::vector<std::uint8_t>(std::size_t(side) * std::size_t(side) * 3, 128))};
  grey.source_width = grey.source_height = side;
  HttpQuestion question{.prompt = "caption en", .task = "caption", .max_new_tokens = 16};
  question.clip.frames.push_back(std::move(grey));
  ask(api, exchange, std::move(question), [&api, exchange, then = std::move(then)](const HttpAnswer&) {
    const auto costs = api.backend.meter().costs();
    if (costs) return then(*costs);
    exchange->fail({.status = 503,
                    .message = "what an answer costs is not known before the first one; try again",
                    .code = "unavailable"});
  });
}

void forecast_stream(HttpApi& api, const Exchange& exchange) {
  Entry entry = entry_of(api, exchange);
  if (!entry.problems.empty()) return exchange->respond(problems_response(entry.problems));
  if (const auto costs = api.backend.meter().costs()) return send_forecast(api, exchange, entry, *costs);
  learn_costs(api, exchange, [&api, exchange, entry = std::move(entry)](const AnswerCosts& costs) {
    send_forecast(api, exchange, entry, costs);
  });
}

void take_reference(HttpApi& api, const Exchange& exchange) {
  const std::string& stream = exchange->request().parts.at("stream");
  const std::string& task = exchange->request().parts.at("task");
  if (!exchange->holder().may_see(stream))
    return exchange->fail({.status = 404,
                           .message = format("there is no stream '{}'", stream.substr(0, 64)),
                           .code = "not_found"});
  if (const auto fault = api.backend.take_reference(stream, task))
    return exchange->fail({.status = 404, .message = *fault, .code = "not_found"});
  exchange->respond({.status = 204, .headers = {}});
}

}  // namespace

std::optional<HttpResponse> over_capacity(HttpApi& api, const std::string& name, const Json& settings,
                                          const Json& now) {
  const auto costs = api.backend.meter().costs();
  if (!costs) return std::nullopt;
  const HttpForecast forecast = api.backend.forecast(name, settings_text(settings), *costs);
  if (!forecast.problems.empty() || forecast.used <= 1 || forecast.share == 0) return std::nullopt;
  if (now.is_object() && !now.value("paused", false)) {
    const HttpForecast before = api.backend.forecast(name, settings_text(now), *costs);
    if (before.problems.empty() && forecast.share <= before.share) return std::nullopt;
  }
  HttpResponse response = error_response({.status = 429,
                                          .message = plan_text(forecast) + "; force=1 writes it all the same",
                                          .code = "over_capacity"});
  Json body = Json::parse(response.body);
  body["error"]["plan"] = json_of(forecast);
  response.body = body.dump();
  return response;
}

void add_camera_routes(HttpRouter& router, HttpApi& api) {
  const auto post = [&](const char* pattern, HttpScope scope, HttpJob job, std::size_t body_bytes) {
    add_route(router, api,
              {.method = HttpMethod::kPost, .pattern = pattern, .scope = scope, .body_bytes = body_bytes},
              job);
  };
  post("/api/v1/streams/try", HttpScope::kEdit, try_camera, kMaxEntryBytes);
  post("/api/v1/capacity", HttpScope::kEdit, forecast_stream, kMaxEntryBytes);
  post("/api/v1/streams/{stream}/references/{task}", HttpScope::kEdit, take_reference, 0);
  add_route(router, api, {.pattern = "/api/v1/capacity", .scope = HttpScope::kView}, send_capacity);
}

}  // namespace palisade
