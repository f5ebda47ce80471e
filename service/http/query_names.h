#pragma once

#include <optional>

#include "service/http/http_message.h"
#include "service/http/router.h"

namespace palisade {

// A fault of a request whose query has a name that openapi.json does not give to its route, so that nothing
// asked is passed over in silence. Routes that it does not describe, or that are other programs' own (outside
// /api/v1), take any.
std::optional<HttpError> query_name_fault(const HttpRoute& route, const HttpRequest& request);

}  // namespace palisade
