#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"

namespace palisade {

enum class HttpMethod { kGet, kPost, kPut, kDelete };
std::string_view name_of(HttpMethod method);  // "GET"

// What a client asked. Names of headers are in lower case.
struct HttpRequest {
  HttpMethod method = HttpMethod::kGet;
  std::string path;                          // decoded, without the query
  std::map<std::string, std::string> query;  // decoded
  std::string repeated;                      // a name that the query has twice; empty: none
  std::map<std::string, std::string> headers;
  std::map<std::string, std::string> parts;  // of the path, by the names in the route's pattern
  std::string body;
  std::string peer;         // address of who asks; empty on a Unix socket
  std::string own_address;  // at which he reached this server; likewise
  bool secure = false;      // over TLS, this server's or its proxy's

  std::string header(const std::string& name) const;
  std::optional<std::string> asked(const std::string& name) const;  // of the query
};

struct HttpResponse {
  int status = 200;
  std::string type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

HttpResponse json_response(const Json& json, int status = 200);

// An answer that says what is wrong, in the shape that the openai clients know:
// {"error": {"message", "type", "param", "code"}}.
struct HttpError {
  int status = 400;
  std::string message;
  std::string code;   // "invalid_request", "not_found" ...
  std::string param;  // the field that is meant; empty: none
};
HttpResponse error_response(const HttpError& error);

// Splits "/a%20b?x=1" into path and query. False where it is no such target: no slash at the beginning, a
// NUL, or what is no UTF-8.
bool read_target(std::string_view target, HttpRequest& request);

}  // namespace palisade
