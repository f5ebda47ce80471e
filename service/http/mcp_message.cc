#include "service/http/mcp_message.h"

#include <algorithm>

#include "base/error.h"
#include "base/format.h"

namespace palisade {
namespace {

constexpr std::string_view kStateless = "2026-07-28", kNewestWithSession = "2025-11-25";
constexpr std::string_view kWithSession[] = {"2025-11-25", "2025-06-18", "2025-03-26"};
constexpr const char* kVersionKey = "io.modelcontextprotocol/protocolVersion";
constexpr const char* kCapabilitiesKey = "io.modelcontextprotocol/clientCapabilities";
constexpr const char* kServerKey = "io.modelcontextprotocol/serverInfo";
constexpr const char* kInstructions =
    "Cameras watched by PaliGemma. `cameras` lists them, `look` shows one, `ask_camera` asks about its "
    "newest "
    "picture, `compare` asks about two, `find_events` searches what was said, `get_event` shows what an "
    "answer saw.";

Json server_info() {
  return {{"name", "palisade"}, {"version", PALISADE_VERSION}};
}

Json capabilities() {
  return {{"tools", Json::object()}};
}

// Of a request with a protocol version of its own.
std::optional<McpFault> stateless_fault(const HttpRequest& request, const McpRequest& read,
                                        const Json& meta) {
  const Json& version = meta[kVersionKey];
  if (!version.is_string() || !meta.contains(kCapabilitiesKey))
    return McpFault{kMcpInvalidParams, format("_meta needs {} and {}", kVersionKey, kCapabilitiesKey), {}};
  const auto differs = [&](const char* header, const std::string& value) {
    return request.header(header) != value;
  };
  if (differs("mcp-protocol-version", version.get<std::string>()) || differs("mcp-method", read.method) ||
      (read.method == "tools/call" && read.params.contains("name") && read.params["name"].is_string() &&
       differs("mcp-name", read.params["name"].get<std::string>())))
    return McpFault{kMcpHeaderMismatch,
                    "the headers Mcp-Protocol-Version, Mcp-Method and Mcp-Name are not what the body says",
                    {}};
  if (version != kStateless)
    return McpFault{kMcpUnsupportedVersion,
                    format("protocol version {} is not known here", version.get<std::string>()),
                    {{"supported", {kStateless}}, {"requested", version}}};
  return std::nullopt;
}

int status_of(int code) {
  return code == kMcpMethodNotFound ? 404 : 400;
}

}  // namespace

std::optional<McpRequest> read_mcp(const HttpRequest& request, McpFault& fault) {
  McpRequest read;
  Json body;
  try {
    body = parse_json(request.body, "the message");
  } catch (const Error& error) {
    fault = {kMcpParseError, error.what(), {}};
    return std::nullopt;
  }
  if (!body.is_object() || body.value("jsonrpc", Json()) != "2.0" || !body.contains("method") ||
      !body["method"].is_string() || (body.contains("params") && !body["params"].is_object())) {
    fault = {kMcpInvalidRequest, "a message is one JSON-RPC 2.0 request or notification", {}};
    return std::nullopt;
  }
  read.method = body["method"].get<std::string>();
  if (body.contains("params")) read.params = body["params"];
  if (body.contains("id")) read.id = body["id"];
  if (body.contains("id") && !read.id.is_string() && !read.id.is_number_integer()) {
    fault = {kMcpInvalidRequest, "an id is a text or a whole number", {}};
    return std::nullopt;
  }
  const Json meta = read.params.value("_meta", Json::object());
  read.stateless = meta.is_object() && meta.contains(kVersionKey);
  if (read.stateless) {
    if (auto found = stateless_fault(request, read, meta)) {
      fault = *std::move(found);
      return std::nullopt;
    }
  }
  return read;
}

HttpResponse mcp_result(const McpRequest& request, Json result) {
  if (request.stateless) {
    result["resultType"] = "complete";
    result["_meta"][kServerKey] = server_info();
  }
  return json_response({{"jsonrpc", "2.0"}, {"id", request.id}, {"result", std::move(result)}});
}

HttpResponse mcp_fault(const Json& id, const McpFault& fault) {
  Json error = {{"code", fault.code}, {"message", fault.message}};
  if (!fault.data.is_null()) error["data"] = fault.data;
  return json_response({{"jsonrpc", "2.0"}, {"id", id}, {"error", std::move(error)}}, status_of(fault.code));
}

Json mcp_initialized(const Json& params) {
  const Json wanted = params.value("protocolVersion", Json());
  const bool known = wanted.is_string() &&
                     std::ranges::find(kWithSession, wanted.get<std::string>()) != std::end(kWithSession);
  return {{"protocolVersion", known ? wanted : Json(kNewestWithSession)},
          {"capabilities", capabilities()},
          {"serverInfo", server_info()},
          {"instructions", kInstructions}};
}

Json mcp_discovered() {
  return {{"supportedVersions", {kStateless}},
          {"capabilities", capabilities()},
          {"instructions", kInstructions},
          {"ttlMs", 0},
          {"cacheScope", "private"}};
}

}  // namespace palisade
