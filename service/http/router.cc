#include "service/http/router.h"

#include <map>
#include <optional>
#include <utility>

#include "base/format.h"

namespace palisade {
namespace {

// Removes the first part of a path.
std::string_view take_part(std::string_view& path) {
  path.remove_prefix(1);
  const std::size_t end = std::min(path.find('/'), path.size());
  const std::string_view part = path.substr(0, end);
  path.remove_prefix(end);
  return part;
}

std::optional<std::map<std::string, std::string>> matched(std::string_view pattern, std::string_view path) {
  std::map<std::string, std::string> parts;
  while (!pattern.empty() && !path.empty()) {
    const std::string_view left = path.substr(1);
    const std::string_view wanted = take_part(pattern), part = take_part(path);
    const std::size_t brace = wanted.find('{'), end = wanted.find('}');
    if (wanted.ends_with("...}")) {
      if (left.empty()) return std::nullopt;
      parts.emplace(wanted.substr(1, wanted.size() - 5), left);
      return parts;
    }
    if (brace == std::string_view::npos) {
      if (wanted != part) return std::nullopt;
      continue;
    }
    const std::string_view before = wanted.substr(0, brace), after = wanted.substr(end + 1);
    if (part.size() <= before.size() + after.size() || !part.starts_with(before) || !part.ends_with(after))
      return std::nullopt;
    parts.emplace(wanted.substr(brace + 1, end - brace - 1),
                  part.substr(before.size(), part.size() - before.size() - after.size()));
  }
  if (!pattern.empty() || !path.empty()) return std::nullopt;
  return parts;
}

}  // namespace

void HttpRouter::add(HttpRoute route) {
  routes_.push_back(std::move(route));
}

HttpRouter::Match HttpRouter::find(HttpRequest& request) const {
  Match match;
  bool by_name = false;  // a route's pattern is the path itself, so that those with parameters are not meant
  for (const HttpRoute& route : routes_) {
    auto parts = matched(route.pattern, request.path);
    if (!parts) continue;
    const bool named = route.pattern == request.path;
    if (named && !std::exchange(by_name, true)) match = {};
    if (by_name && !named) continue;
    match.methods += format("{}{}", match.methods.empty() ? "" : ", ", name_of(route.method));
    if (route.method != request.method) continue;
    request.parts = *std::move(parts);
    match.route = &route;
  }
  return match;
}

}  // namespace palisade
