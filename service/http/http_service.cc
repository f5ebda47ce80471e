#include "service/http/http_service.h"

#include "service/http/api.h"
#include "service/http/dashboard_link.h"
#include "service/http/live_events.h"
#include "service/http/moving_pictures.h"
#include "service/http/server.h"

namespace palisade {

struct HttpService::State {
  State(const HttpServiceOptions& options, HttpBackend& backend)
      : tokens(options.state_folder),
        uploads(options.state_folder),
        api{backend, metrics, tokens, uploads},
        live(backend),
        moving(backend) {
    server.emplace(
        HttpServerOptions{
            .endpoint = options.endpoint,
            .hosts = options.hosts,
            .origins = options.origins,
            .certificate = options.certificate,
            .key = options.key,
            .trusted_proxies = options.trusted_proxies,
            .on_done = [this](const std::string& route, HttpMethod method, int status,
                              double seconds) { metrics.request_done(route, method, status, seconds); }},
        all_routes(api, live, moving), tokens);
    keep_http_address(options.state_folder,
                      http_url(server->endpoint(), !options.certificate.empty(), options.hosts));
  }

  HttpTokens tokens;
  HttpUploads uploads;
  HttpMetrics metrics;
  HttpApi api;
  LiveEvents live;
  MovingPictures moving;
  std::optional<HttpServer> server;  // ends first
};

HttpService::HttpService(const HttpServiceOptions& options, HttpBackend& backend)
    : state_(std::make_unique<State>(options, backend)) {}
HttpService::~HttpService() = default;

void HttpService::read_certificate_again() {
  state_->server->read_certificate_again();
}

const std::string& HttpService::endpoint() const {
  return state_->server->endpoint();
}

HttpRouter all_routes(HttpApi& api, LiveEvents& live, MovingPictures& moving) {
  HttpRouter router;
  add_health_routes(router, api);
  add_stream_routes(router, api);
  add_camera_routes(router, api);
  add_summary_routes(router, api);
  add_event_routes(router, api);
  add_replay_routes(router, api);
  add_upload_routes(router, api);
  add_ask_routes(router, api);
  add_openai_routes(router, api);
  add_mcp_routes(router, api);
  add_token_routes(router, api);
  add_erase_routes(router, api);
  live.add_route(router);
  moving.add_route(router);
  add_ui_routes(router);
  return router;
}

}  // namespace palisade
