#include "service/http/api.h"
#include "service/http/exchange.h"
#include "service/http/openapi.h"

namespace palisade {

void add_health_routes(HttpRouter& router, HttpApi& api) {
  router.add({.pattern = "/health", .scope = HttpScope::kNobody, .handler = [](const auto& exchange) {
                exchange->respond({.type = "text/plain", .body = "ok\n", .headers = {}});
              }});
  router.add(
      {.pattern = "/ready", .scope = HttpScope::kNobody, .handler = [&api](const auto& exchange) {
         const std::string why = api.backend.not_ready();
         exchange->respond(json_response({{"ready", why.empty()}, {"reason", why}}, why.empty() ? 200 : 503));
       }});
  router.add({.pattern = "/metrics", .scope = HttpScope::kView, .handler = [&api](const auto& exchange) {
                exchange->work([&api, exchange] {
                  exchange->respond({.type = "text/plain; version=0.0.4",
                                     .body = api.metrics.text(api.backend),
                                     .headers = {}});
                });
              }});
  router.add(
      {.pattern = "/api/v1/openapi.json", .scope = HttpScope::kView, .handler = [](const auto& exchange) {
         exchange->respond({.body = std::string(openapi_text()), .headers = {}});
       }});
}

}  // namespace palisade
