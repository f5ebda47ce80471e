#pragma once

#include "service/http/backend.h"
#include "service/http/metrics.h"
#include "service/http/router.h"

namespace palisade {

// What the routes share; outlives them.
struct HttpApi {
  HttpBackend& backend;
  HttpMetrics& metrics;
  HttpTokens& tokens;
};

// Each adds the routes of one part; service/http/openapi.json describes them all.
void add_health_routes(HttpRouter& router, HttpApi& api);
void add_stream_routes(HttpRouter& router, HttpApi& api);
void add_event_routes(HttpRouter& router, HttpApi& api);
void add_ask_routes(HttpRouter& router, HttpApi& api);
void add_openai_routes(HttpRouter& router, HttpApi& api);
void add_mcp_routes(HttpRouter& router, HttpApi& api);
void add_token_routes(HttpRouter& router, HttpApi& api);

}  // namespace palisade
