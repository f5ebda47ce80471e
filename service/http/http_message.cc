#include "service/http/http_message.h"

#include <algorithm>

#include "base/percent_encoding.h"
#include "base/utf8.h"

namespace palisade {
namespace {

std::string_view type_of_error(int status) {
  if (status == 401) return "authentication_error";
  if (status == 403) return "permission_error";
  if (status == 404 || status == 410) return "not_found_error";
  if (status == 429) return "rate_limit_error";
  return status >= 500 ? "server_error" : "invalid_request_error";
}

bool is_clean(const std::string& text) {
  return text.find('\0') == std::string::npos && valid_utf8(text);
}

}  // namespace

std::string_view name_of(HttpMethod method) {
  switch (method) {
    case HttpMethod::kGet:
      return "GET";
    case HttpMethod::kPost:
      return "POST";
    case HttpMethod::kPut:
      return "PUT";
    case HttpMethod::kDelete:
      return "DELETE";
  }
  return {};
}

std::string HttpRequest::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

std::optional<std::string> HttpRequest::asked(const std::string& name) const {
  const auto found = query.find(name);
  return found == query.end() ? std::nullopt : std::optional(found->second);
}

HttpResponse json_response(const Json& json, int status) {
  return {.status = status,
          .body = json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n",
          .headers = {}};
}

HttpResponse error_response(const HttpError& error) {
  const Json param = error.param.empty() ? Json() : Json(error.param);
  return json_response({{"error",
                         {{"message", error.message},
                          {"type", type_of_error(error.status)},
                          {"param", param},
                          {"code", error.code}}}},
                       error.status);
}

bool read_target(std::string_view target, HttpRequest& request) {
  if (!target.starts_with('/')) return false;
  const std::size_t mark = target.find('?');
  request.path = percent_decoded(target.substr(0, mark));
  if (!is_clean(request.path)) return false;
  std::string_view rest = mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('&'), rest.size());
    std::string pair(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    for (char& c : pair) {
      if (c == '+') c = ' ';
    }
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string name = percent_decoded(std::string_view(pair).substr(0, equals));
    const std::string value =
        percent_decoded(std::string_view(pair).substr(std::min(equals + 1, pair.size())));
    if (!is_clean(name) || !is_clean(value)) return false;
    if (!request.query.emplace(name, value).second) request.repeated = name;
  }
  return true;
}

}  // namespace palisade
