#include "base/error.h"
#include "base/format.h"
#include "base/json.h"
#include "base/log.h"
#include "base/moment.h"
#include "service/http/question.h"
#include "service/journal/event_upkeep.h"

namespace palisade {
namespace {

using Exchange = std::shared_ptr<HttpExchange>;

constexpr std::size_t kMaxEraseRequest = 4u << 10;

struct EraseRequest {
  std::string stream;
  std::int64_t from_ms = 0, to_ms = 0;
  bool erase = false;  // else it is only told what would go
};

// {"stream": "gate", "from": "2026-11-23T09:00Z", "to": "1h", "erase": true}
EraseRequest erase_request_of(const HttpRequest& request) {
  const Json body = body_of(request);
  EraseRequest asked;
  try {
    asked.stream = body.at("stream").get<std::string>();
    asked.from_ms = moment_ms(body.at("from").get<std::string>(), "from");
    asked.to_ms = moment_ms(body.at("to").get<std::string>(), "to");
    asked.erase = body.value("erase", false);
  } catch (const Json::exception& error) {
    throw UsageError(format("not what is to be erased: {}", error.what()));
  }
  for (const auto& [key, value] : body.items()) {
    if (key != "stream" && key != "from" && key != "to" && key != "erase")
      throw UsageError(format("not what is to be erased: there is no key '{}'", key.substr(0, 64)));
  }
  if (asked.from_ms >= asked.to_ms) throw UsageError("from is before to");
  return asked;
}

void erase(HttpApi& api, const Exchange& exchange) {
  const EraseRequest asked = erase_request_of(exchange->request());
  const auto folder = api.backend.journal();
  if (!folder)
    throw Unavailable("this service keeps no journal (journal: off), so there is nothing to erase");
  if (!exchange->holder().may_see(asked.stream))
    return exchange->fail(
        {.status = 403, .message = "this token is for other streams", .code = "other_stream"});
  const EraseExtent extent = extent_to_erase(*folder, asked.stream, asked.from_ms, asked.to_ms);
  Json json = {
      {"events", extent.events}, {"kept", extent.kept}, {"judged", extent.judged}, {"erased", false}};
  if (asked.erase) {
    json["events"] = erase_events(*folder, asked.stream, asked.from_ms, asked.to_ms);
    json["erased"] = true;
    log_info(format("journal: {} events of {} were erased by the token {}",
                    json["events"].get<std::uint64_t>(), asked.stream.substr(0, 64),
                    exchange->holder().name));
  }
  exchange->respond(json_response(json));
}

}  // namespace

void add_erase_routes(HttpRouter& router, HttpApi& api) {
  add_route(router, api,
            {.method = HttpMethod::kPost,
             .pattern = "/api/v1/erase",
             .scope = HttpScope::kAdmin,
             .body_bytes = kMaxEraseRequest},
            erase);
}

}  // namespace palisade
