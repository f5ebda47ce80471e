#include "base/error.h"
#include "base/format.h"
#include "service/http/question.h"
#include "service/http/request_check.h"

namespace palisade {
namespace {

using Exchange = std::shared_ptr<HttpExchange>;

constexpr std::size_t kMaxTokenRequest = 64u << 10;
constexpr std::chrono::hours kCookieAge{24 * 30};

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

// The browser of whoever has shown a token keeps it where no script can read it.
HttpResponse with_cookie(const HttpRequest& request, const std::string& token, std::chrono::seconds age) {
  return {.status = 204,
          .headers = {
              {"Set-Cookie", format("{}={}; Max-Age={}; Path=/; HttpOnly; SameSite=Strict{}", kTokenCookie,
                                    token, age.count(), request.secure ? "; Secure" : "")}}};
}

void log_in(HttpApi&, const Exchange& exchange) {
  exchange->respond(with_cookie(exchange->request(), token_of(exchange->request()), kCookieAge));
}

void log_out(HttpApi&, const Exchange& exchange) {
  exchange->respond(with_cookie(exchange->request(), "", std::chrono::seconds(0)));
}

void send_holder(HttpApi&, const Exchange& exchange) {
  Json json = json_of(exchange->holder());
  if (!json.contains("streams")) json["streams"] = nullptr;
  exchange->respond(json_response(json));
}

}  // namespace

void add_token_routes(HttpRouter& router, HttpApi& api) {
  const auto tokens = [&](HttpRoute route, HttpJob job) {
    route.scope = HttpScope::kAdmin;
    add_route(router, api, std::move(route), job);
  };
  tokens({.pattern = "/api/v1/tokens"}, send_tokens);
  tokens({.method = HttpMethod::kPost, .pattern = "/api/v1/tokens", .body_bytes = kMaxTokenRequest},
         make_token);
  tokens({.method = HttpMethod::kDelete, .pattern = "/api/v1/tokens/{name}"}, drop_token);
  const auto login = [&](HttpMethod method, HttpScope scope, HttpJob job) {
    add_route(router, api, {.method = method, .pattern = "/api/v1/login", .scope = scope}, job);
  };
  login(HttpMethod::kGet, HttpScope::kView, send_holder);
  login(HttpMethod::kPost, HttpScope::kView, log_in);
  login(HttpMethod::kDelete, HttpScope::kNobody, log_out);
}

}  // namespace palisade
