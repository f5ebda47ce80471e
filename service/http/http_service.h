#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "service/http/backend.h"

namespace palisade {

struct HttpServiceOptions {
  std::string endpoint;  // as HttpServerOptions has it
  std::vector<std::string> hosts;
  std::vector<std::string> origins;
  std::filesystem::path certificate, key;
  std::vector<std::string> trusted_proxies;
  std::filesystem::path state_folder;  // of the tokens
};

// The HTTP API of a service: its routes, tokens, metrics and server.
class HttpService {
 public:
  // Throws Unavailable if the address cannot be bound, Error where the tokens or the certificate cannot be
  // read. The backend outlives it.
  HttpService(const HttpServiceOptions& options, HttpBackend& backend);
  ~HttpService();

  // As HttpServer has it.
  void read_certificate_again();
  const std::string& endpoint() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// All routes, as the server has them.
class HttpRouter;
struct HttpApi;
class LiveEvents;
class MovingPictures;
HttpRouter all_routes(HttpApi& api, LiveEvents& live, MovingPictures& moving);

}  // namespace palisade
