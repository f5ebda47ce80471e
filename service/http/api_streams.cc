#include <algorithm>

#include "base/format.h"
#include "base/sha256.h"
#include "base/time_text.h"
#include "service/http/question.h"
#include "service/http/stream_settings.h"
#include "service/journal/frame_codec.h"

namespace palisade {

Json written_settings(HttpApi& api, const std::string& name) {
  const auto text = api.backend.written_stream(name);
  return text ? Json::parse(*text, nullptr, false) : Json();
}

namespace {

constexpr std::size_t kMaxStreamBytes = 64u << 10;

// A task's last answer; `p` is that of yes or true where those are choices, else of the most probable one.
Json last_of(const HttpTask& task) {
  Json last = {{"time", time_text(*task.answered)}, {"text", task.text}};
  double most = 0;
  std::optional<double> yes;
  for (const AnswerChoice& choice : task.choices) {
    last["choices"].push_back({{"text", choice.text}, {"p", choice.p}});
    most = std::max(most, choice.p);
    if (choice.text == "yes" || choice.text == "true") yes = choice.p;
  }
  if (!task.choices.empty()) last["p"] = yes.value_or(most);
  for (const DetectedBox& box : task.boxes) {
    last["boxes"].push_back({{"label", box.label}, {"box", box.box}});
    if (box.confidence) last["boxes"].back()["confidence"] = *box.confidence;
  }
  return last;
}

Json json_of(const HttpStream& stream) {
  Json tasks = Json::array();
  for (const HttpTask& task : stream.tasks) {
    Json json = {{"name", task.name}, {"task", task.task}, {"prompt", task.prompt}};
    if (task.threshold) json["threshold"] = *task.threshold;
    if (task.answered) json["last"] = last_of(task);
    tasks.push_back(std::move(json));
  }
  const StreamCounts& counts = stream.counts;
  return {{"name", stream.name},
          {"source", stream.source},
          {"state", to_json(stream.state)},
          {"tasks", std::move(tasks)},
          {"counts",
           {{"frames", counts.frames},
            {"answered", counts.answered},
            {"dropped", counts.dropped},
            {"failed", counts.failed},
            {"skipped", counts.skipped},
            {"unchanged", counts.unchanged},
            {"lost", counts.lost}}}};
}

void send_streams(HttpApi& api, const std::shared_ptr<HttpExchange>& exchange) {
  Json streams = Json::array();
  for (const HttpStream& stream : api.backend.streams()) {
    if (exchange->holder().may_see(stream.name)) streams.push_back(json_of(stream));
  }
  exchange->respond(json_response({{"streams", std::move(streams)}}));
}

// The newest picture for people. Palisade-Time is when it was taken, by the stream's own time; Palisade-Age
// how many seconds ago it came.
void send_picture(HttpApi& api, const std::shared_ptr<HttpExchange>& exchange) {
  const std::string name = exchange->request().parts.at("stream");
  const auto picture = exchange->holder().may_see(name) ? api.backend.newest(name) : std::nullopt;
  if (!picture)
    return exchange->fail({.status = 404,
                           .message = "no picture of '" + name + "' yet, or no such stream",
                           .code = "not_found"});
  const Image& image = picture->frame.view.empty() ? picture->frame.image : picture->frame.view;
  const std::string tag = "\"" + sha256_hex(image.bytes()).substr(0, 32) + "\"";
  HttpResponse response{.type = "image/jpeg",
                        .headers = {{"ETag", tag},
                                    {"Palisade-Time", time_text(picture->frame.stamp.wall)},
                                    {"Palisade-Age", format("{:.3f}", double(picture->age.count()) / 1000)}}};
  if (exchange->request().header("if-none-match") == tag) {
    response.status = 304;
  } else {
    response.body = encode_frame(image, FrameStorage::kJpeg).bytes;
  }
  exchange->respond(std::move(response));
}

// Who may edit it also gets its settings, and the tag by which editors notice one another.
void send_stream(HttpApi& api, const std::shared_ptr<HttpExchange>& exchange) {
  const std::string name = exchange->request().parts.at("stream");
  const auto streams = api.backend.streams();
  const auto found = std::ranges::find(streams, name, &HttpStream::name);
  if (found == streams.end() || !exchange->holder().may_see(name))
    return exchange->fail({.status = 404,
                           .message = format("there is no stream '{}'", name.substr(0, 64)),
                           .code = "not_found"});
  Json json = json_of(*found);
  std::vector<std::pair<std::string, std::string>> headers;
  if (exchange->holder().scope >= HttpScope::kEdit) {
    json["settings"] = shown_settings(written_settings(api, name));
    headers.emplace_back("ETag", settings_tag(json["settings"]));
  }
  HttpResponse response = json_response(json);
  response.headers = std::move(headers);
  exchange->respond(std::move(response));
}

// 412 where the stream is not as the editor last saw it.
std::optional<HttpError> changed_meanwhile(const HttpRequest& request, const Json& now) {
  const std::string wanted = request.header("if-match");
  if (request.header("if-none-match") == "*" && !now.is_null())
    return HttpError{.status = 412, .message = "there is such a stream already", .code = "exists"};
  if (wanted.empty() || (wanted == "*" && !now.is_null()) || wanted == settings_tag(shown_settings(now)))
    return std::nullopt;
  return HttpError{.status = 412,
                   .message = now.is_null() ? "there is no such stream any more"
                                            : "the stream was changed meanwhile; read it again",
                   .code = "changed_meanwhile"};
}

void write_stream(HttpApi& api, const std::shared_ptr<HttpExchange>& exchange) {
  const std::string name = exchange->request().parts.at("stream");
  if (!exchange->holder().may_see(name))
    return exchange->fail(
        {.status = 403, .message = "this token is for other streams", .code = "other_stream"});
  const std::string force = exchange->request().asked("force").value_or("0");
  if (force != "0" && force != "1") throw UsageError("force is 0 or 1");
  Json asked = body_of(exchange->request());
  const Json now = written_settings(api, name);
  if (const auto fault = changed_meanwhile(exchange->request(), now)) return exchange->fail(*fault);
  if (!asked.contains("name")) asked["name"] = name;
  if (asked["name"] != name)
    return exchange->respond(problems_response({{"/name", "name is not that of the path"}}));
  const Json merged = merged_settings(std::move(asked), now);
  if (auto faults = settings_faults(merged, now, exchange->holder()); !faults.empty())
    return exchange->respond(problems_response(faults));
  if (force == "0" && !merged.value("paused", false)) {
    if (auto too_much = over_capacity(api, name, merged, now)) return exchange->respond(*std::move(too_much));
  }
  std::vector<HttpProblem> problems;
  for (const std::string& line : api.backend.write_stream(name, settings_text(merged)))
    problems.push_back(problem_of(merged, line));
  if (!problems.empty()) return exchange->respond(problems_response(problems));
  HttpResponse response = json_response({{"name", name}, {"written", true}});
  response.headers.emplace_back("ETag", settings_tag(shown_settings(merged)));
  exchange->respond(std::move(response));
}

void remove_stream(HttpApi& api, const std::shared_ptr<HttpExchange>& exchange) {
  const std::string name = exchange->request().parts.at("stream");
  if (!exchange->holder().may_see(name) || !api.backend.remove_stream(name))
    return exchange->fail(
        {.status = 404,
         .message = format("no stream '{}' was written; those of the configuration stay", name.substr(0, 64)),
         .code = "not_found"});
  exchange->respond({.status = 204, .headers = {}});
}

}  // namespace

void add_stream_routes(HttpRouter& router, HttpApi& api) {
  add_route(router, api, {.pattern = "/api/v1/streams", .scope = HttpScope::kView}, send_streams);
  const auto one = [&](HttpMethod method, HttpScope scope, HttpJob job, std::size_t body_bytes) {
    add_route(
        router, api,
        {.method = method, .pattern = "/api/v1/streams/{stream}", .scope = scope, .body_bytes = body_bytes},
        job);
  };
  one(HttpMethod::kGet, HttpScope::kView, send_stream, 0);
  one(HttpMethod::kPut, HttpScope::kEdit, write_stream, kMaxStreamBytes);
  one(HttpMethod::kDelete, HttpScope::kEdit, remove_stream, 0);
  add_route(router, api, {.pattern = "/api/v1/streams/{stream}/picture.jpg", .scope = HttpScope::kView},
            send_picture);
}

}  // namespace palisade
