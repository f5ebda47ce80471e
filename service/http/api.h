#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "service/http/backend.h"
#include "service/http/exchange.h"
#include "service/http/metrics.h"
#include "service/http/router.h"
#include "service/http/uploads.h"

namespace palisade {

// What the routes share; outlives them.
struct HttpApi {
  HttpBackend& backend;
  HttpMetrics& metrics;
  HttpTokens& tokens;
  HttpUploads& uploads;
};

// Adds a route whose requests are answered on one of the threads for what takes longer.
using HttpJob = void (*)(HttpApi&, const std::shared_ptr<HttpExchange>&);
inline void add_route(HttpRouter& router, HttpApi& api, HttpRoute route, HttpJob job) {
  route.handler = [&api, job](const std::shared_ptr<HttpExchange>& exchange) {
    exchange->work([&api, job, exchange] { job(api, exchange); });
  };
  router.add(std::move(route));
}

// Each adds the routes of one part; service/http/openapi.json describes them all.
void add_health_routes(HttpRouter& router, HttpApi& api);
void add_stream_routes(HttpRouter& router, HttpApi& api);
void add_camera_routes(HttpRouter& router, HttpApi& api);
void add_summary_routes(HttpRouter& router, HttpApi& api);
void add_event_routes(HttpRouter& router, HttpApi& api);
void add_replay_routes(HttpRouter& router, HttpApi& api);
void add_upload_routes(HttpRouter& router, HttpApi& api);
void add_ask_routes(HttpRouter& router, HttpApi& api);
void add_openai_routes(HttpRouter& router, HttpApi& api);
void add_mcp_routes(HttpRouter& router, HttpApi& api);
void add_erase_routes(HttpRouter& router, HttpApi& api);
void add_token_routes(HttpRouter& router, HttpApi& api);
void add_ui_routes(HttpRouter& router);  // the dashboard

// A stream's entry of the configuration, with its secrets; null where there is none.
Json written_settings(HttpApi& api, const std::string& name);
// 429 with the plan where the machine cannot carry the streams with such an entry (stream_settings.h);
// nothing where it can, where it is not known yet what an answer costs, or where the entry takes no more than
// the one that stands there `now` (null: none).
std::optional<HttpResponse> over_capacity(HttpApi& api, const std::string& name, const Json& settings,
                                          const Json& now);

}  // namespace palisade
