#include "base/sha256.h"
#include "base/time_text.h"
#include "service/http/api.h"
#include "service/http/exchange.h"
#include "service/journal/frame_codec.h"

namespace palisade {
namespace {

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

// The newest window's last picture for people.
void send_picture(HttpApi& api, const std::shared_ptr<HttpExchange>& exchange) {
  const std::string name = exchange->request().parts.at("stream");
  const auto frame = exchange->holder().may_see(name) ? api.backend.newest(name) : std::nullopt;
  if (!frame)
    return exchange->fail({.status = 404,
                           .message = "no picture of '" + name + "' yet, or no such stream",
                           .code = "not_found"});
  const Image& image = frame->view.empty() ? frame->image : frame->view;
  const std::string tag = "\"" + sha256_hex(image.bytes()).substr(0, 32) + "\"";
  if (exchange->request().header("if-none-match") == tag)
    return exchange->respond({.status = 304, .type = "image/jpeg", .headers = {{"ETag", tag}}});
  exchange->respond({.type = "image/jpeg",
                     .body = encode_frame(image, FrameStorage::kJpeg).bytes,
                     .headers = {{"ETag", tag}, {"Palisade-Time", time_text(frame->stamp.wall)}}});
}

}  // namespace

void add_stream_routes(HttpRouter& router, HttpApi& api) {
  router.add(
      {.pattern = "/api/v1/streams", .scope = HttpScope::kView, .handler = [&api](const auto& exchange) {
         exchange->work([&api, exchange] { send_streams(api, exchange); });
       }});
  router.add({.pattern = "/api/v1/streams/{stream}/picture.jpg",
              .scope = HttpScope::kView,
              .handler = [&api](const auto& exchange) {
                exchange->work([&api, exchange] { send_picture(api, exchange); });
              }});
}

}  // namespace palisade
