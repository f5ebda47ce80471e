#include "base/error.h"
#include "base/format.h"
#include "service/http/question.h"

namespace palisade {
namespace {

using Exchange = std::shared_ptr<HttpExchange>;

constexpr std::size_t kMaxTokenRequest = 64u << 10;

Json json_of(const HttpHolder& holder) {
  Json json = {{"name", holder.name}, {"scope", name_of(holder.scope)}};
  if (!holder.streams.empty()) json["streams"] = holder.streams;
  return json;
}

void send_tokens(HttpApi& api, const Exchange& exchange) {
  Json tokens = Json::array();
  for (const HttpHolder& holder : api.tokens.all()) tokens.push_back(json_of(holder));
  exchange->respond(json_response({{"tokens", std::move(tokens)}}));
}

// {"name": "wall", "scope": "view", "streams": ["gate"]}; the token itself is in this answer and nowhere
// else.
void make_token(HttpApi& api, const Exchange& exchange) {
  const Json body = body_of(exchange->request());
  HttpHolder holder;
  try {
    holder.name = body.at("name").get<std::string>();
    const std::string scope = body.at("scope").get<std::string>();
    const auto known = http_scope_of(scope);
    if (!known) throw UsageError(format("a scope is view, ask, edit or admin, not '{}'", scope));
    holder.scope = *known;
    holder.streams = body.value("streams", std::vector<std::string>());
  } catch (const Json::exception& error) {
    throw UsageError(format("not a token: {}", error.what()));
  }
  Json json = json_of(holder);
  try {
    json["token"] = api.tokens.add(holder);
  } catch (const TokenTaken& taken) {
    return exchange->fail({.status = 409, .message = taken.what(), .code = "name_taken", .param = "name"});
  }
  exchange->respond(json_response(json, 201));
}

void drop_token(HttpApi& api, const Exchange& exchange) {
  const std::string name = exchange->request().parts.at("name");
  if (name == exchange->holder().name)
    return exchange->fail({.status = 409, .message = "a token does not remove itself", .code = "own_token"});
  if (!api.tokens.remove(name))
    return exchange->fail({.status = 404,
                           .message = format("there is no token '{}'", name.substr(0, 64)),
                           .code = "not_found"});
  exchange->respond({.status = 204, .headers = {}});
}

}  // namespace

void add_token_routes(HttpRouter& router, HttpApi& api) {
  const auto route = [&](HttpMethod method, const char* pattern, void (*handle)(HttpApi&, const Exchange&),
                         std::size_t body_bytes = 0) {
    router.add({.method = method,
                .pattern = pattern,
                .scope = HttpScope::kAdmin,
                .handler =
                    [&api, handle](const Exchange& exchange) {
                      exchange->work([&api, handle, exchange] { handle(api, exchange); });
                    },
                .body_bytes = body_bytes});
  };
  route(HttpMethod::kGet, "/api/v1/tokens", send_tokens);
  route(HttpMethod::kPost, "/api/v1/tokens", make_token, kMaxTokenRequest);
  route(HttpMethod::kDelete, "/api/v1/tokens/{name}", drop_token);
}

}  // namespace palisade
