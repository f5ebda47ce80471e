#pragma once

#include <optional>
#include <string>

#include "base/json.h"
#include "service/http/http_message.h"

namespace palisade {

// Model Context Protocol, one POST a message (Streamable HTTP without sessions): revision 2026-07-28, whose
// requests carry all that is needed, and 2025-11-25, which begins with `initialize`.
struct McpRequest {
  Json id;  // null of a notification
  std::string method;
  Json params = Json::object();
  bool stateless = false;  // of 2026-07-28
};

// A request that cannot be served, as a JSON-RPC error.
struct McpFault {
  int code = 0;
  std::string message;
  Json data;
};
inline constexpr int kMcpParseError = -32700, kMcpInvalidRequest = -32600, kMcpMethodNotFound = -32601,
                     kMcpInvalidParams = -32602, kMcpHeaderMismatch = -32020, kMcpUnsupportedVersion = -32022;

// Reads a message; nothing where it is none, with the reason in `fault`. Headers that contradict the body are
// refused: what a proxy judged by them is not what would be done.
std::optional<McpRequest> read_mcp(const HttpRequest& request, McpFault& fault);

HttpResponse mcp_result(const McpRequest& request, Json result);
HttpResponse mcp_fault(const Json& id, const McpFault& fault);

// What the server is and can, as `initialize` and `server/discover` answer.
Json mcp_initialized(const Json& params);
Json mcp_discovered();

}  // namespace palisade
