#include <algorithm>

#include "base/format.h"
#include "base/joined.h"
#include "base/sha256.h"
#include "base/time_text.h"
#include "service/http/question.h"
#include "service/journal/frame_codec.h"

namespace palisade {
namespace {

constexpr std::size_t kMaxStreamBytes = 64u << 10;
constexpr std::string_view kFileKeys[] = {"password_file", "url_file", "tls_ca", "picture", "adapter"};
constexpr std::string_view kCameraSchemes[] = {"rtsp://", "rtsps://", "http://", "https://"};

Json json_of(const HttpStream& stream) {
  Json tasks = Json::array();
  for (const HttpTask& task : stream.tasks) {
    Json json = {{"name", task.name}, {"task", task.task}, {"prompt", task.prompt}};
    if (task.answered) json["last"] = {{"time", time_text(*task.answered)}, {"text", task.text}};
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

void send_stream(HttpApi& api, const std::shared_ptr<HttpExchange>& exchange) {
  const std::string name = exchange->request().parts.at("stream");
  for (const HttpStream& stream : api.backend.streams()) {
    if (stream.name == name && exchange->holder().may_see(name))
      return exchange->respond(json_response(json_of(stream)));
  }
  exchange->fail(
      {.status = 404, .message = format("there is no stream '{}'", name.substr(0, 64)), .code = "not_found"});
}

// Who may edit may see its picture, so an address here is a camera's, not any file or pipeline of this
// machine.
bool is_camera(const Json& stream) {
  if (!stream.contains("url") || !stream["url"].is_string()) return false;
  const auto& url = stream["url"].get_ref<const std::string&>();
  return std::ranges::any_of(kCameraSchemes,
                             [&](std::string_view scheme) { return url.starts_with(scheme); });
}

// The first key that names a file; empty: there is none. A first line could be sent to any camera as a
// password, and a reference picture written anywhere.
std::string file_key_in(const Json& json) {
  if (!json.is_structured()) return {};
  for (const auto& [key, value] : json.items()) {
    if (json.is_object() && std::ranges::find(kFileKeys, key) != std::end(kFileKeys)) return key;
    if (const std::string inner = file_key_in(value); !inner.empty()) return inner;
  }
  return {};
}

// The first other stream that a task or rule looks at and the holder may not see; empty: there is none.
std::string hidden_stream_in(const Json& json, const HttpHolder& holder) {
  if (!json.is_structured()) return {};
  for (const auto& [key, value] : json.items()) {
    if (json.is_object() && key == "stream" && value.is_string() && !holder.may_see(value.get<std::string>()))
      return value.get<std::string>();
    if (const std::string inner = hidden_stream_in(value, holder); !inner.empty()) return inner;
  }
  return {};
}

void write_stream(HttpApi& api, const std::shared_ptr<HttpExchange>& exchange) {
  const std::string name = exchange->request().parts.at("stream");
  if (!exchange->holder().may_see(name))
    return exchange->fail(
        {.status = 403, .message = "this token is for other streams", .code = "other_stream"});
  Json stream = body_of(exchange->request());
  if (!stream.contains("name")) stream["name"] = name;
  const auto refuse = [&](const std::string& message, const std::string& param) {
    exchange->fail({.status = 422, .message = message, .code = "invalid_stream", .param = param});
  };
  if (stream["name"] != name) return refuse("name is not that of the path", "name");
  if (!is_camera(stream)) return refuse("url is rtsp(s):// or http(s)://", "url");
  if (const std::string key = file_key_in(stream); !key.empty())
    return refuse(format("{} names a file of the service's machine, which its configuration alone may", key),
                  key);
  if (const std::string hidden = hidden_stream_in(stream, exchange->holder()); !hidden.empty())
    return refuse(format("there is no stream '{}'", hidden), "stream");
  const std::vector<std::string> problems = api.backend.write_stream(name, stream.dump(1) + "\n");
  if (problems.empty()) return exchange->respond(json_response({{"name", name}, {"written", true}}));
  HttpResponse refusal =
      error_response({.status = 422, .message = joined(problems, "; "), .code = "invalid_stream"});
  exchange->respond(std::move(refusal));
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
