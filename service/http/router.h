#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "service/http/access.h"
#include "service/http/http_message.h"

namespace palisade {

class HttpExchange;
// Called on the HTTP thread; must return at once. What takes longer goes to HttpExchange::work().
using HttpHandler = std::function<void(const std::shared_ptr<HttpExchange>&)>;

struct HttpRoute {
  HttpMethod method = HttpMethod::kGet;
  std::string pattern;  // "/api/v1/events/{id}"; a name in braces matches one part of a path, {name...} all that is left
  HttpScope scope = HttpScope::kAdmin;
  HttpHandler handler;
  std::size_t body_bytes = 0;  // at most; 0: it takes none
};

// The routes of a server, in a table.
class HttpRouter {
 public:
  void add(HttpRoute route);
  const std::vector<HttpRoute>& routes() const { return routes_; }

  // The route of a request, whose `parts` are filled in; null where there is none. `methods` names those that
  // the path has routes of ("GET, PUT"); empty: there is no such path.
  struct Match {
    const HttpRoute* route = nullptr;
    std::string methods;
  };
  Match find(HttpRequest& request) const;

 private:
  std::vector<HttpRoute> routes_;
};

}  // namespace palisade
