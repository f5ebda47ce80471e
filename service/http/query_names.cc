#include "service/http/query_names.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "base/format.h"
#include "base/json.h"
#include "service/http/openapi.h"

namespace palisade {
namespace {

constexpr std::size_t kShownBytes = 64;

// The names that a query may have, by method and path, such as "GET /api/v1/events/{id}".
using Names = std::map<std::string, std::set<std::string>>;

Names described_names() {
  Names names;
  const Json description = Json::parse(openapi_text());
  for (const auto& [path, methods] : description.at("paths").items()) {
    if (!path.starts_with("/api")) continue;
    for (const auto& [method, operation] : methods.items()) {
      std::string key = method;
      std::ranges::transform(key, key.begin(), [](char c) { return char(c - 'a' + 'A'); });
      std::set<std::string>& all = names[key + " " + path];
      if (!operation.contains("parameters")) continue;
      for (const Json& parameter : operation["parameters"]) {
        if (parameter["in"] == "query") all.insert(parameter["name"].get<std::string>());
      }
    }
  }
  return names;
}

std::string listed(const std::set<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

std::optional<HttpError> query_name_fault(const HttpRoute& route, const HttpRequest& request) {
  if (request.query.empty()) return std::nullopt;
  static const Names kNames = described_names();
  const auto described = kNames.find(format("{} {}", name_of(route.method), route.pattern));
  if (described == kNames.end()) return std::nullopt;
  const std::set<std::string>& known = described->second;
  for (const auto& [name, value] : request.query) {
    if (known.contains(name)) continue;
    const std::string shown = name.substr(0, kShownBytes);
    return HttpError{
        .status = 400,
        .message = known.empty()
                       ? format("'{}' is not known in the query, which is empty here", shown)
                       : format("'{}' is not known in the query, which may have {}", shown, listed(known)),
        .code = "invalid_request",
        .param = shown};
  }
  return std::nullopt;
}

}  // namespace palisade
