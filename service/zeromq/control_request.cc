#include "service/zeromq/control_request.h"

#include "base/json.h"

namespace palisade {

std::string json_text(const ControlRequest& request) {
  Json json = {{"do", request.action}};
  if (!request.stream.empty()) json["stream"] = request.stream;
  if (!request.task.empty()) json["task"] = request.task;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

ControlRequest control_request_of(const std::string& text) {
  const Json json = parse_json(text, "the request");
  if (!json.is_object() || !json.contains("do")) throw Error("the request is no object with \"do\"");
  ControlRequest request;
  for (const auto& [key, value] : json.items()) {
    std::string* const field = key == "do"       ? &request.action
                               : key == "stream" ? &request.stream
                               : key == "task"   ? &request.task
                                                 : nullptr;
    if (field == nullptr) throw Error("the request has the unknown key \"" + key + "\"");
    if (!value.is_string()) throw Error("the request's \"" + key + "\" is no text");
    *field = value.get<std::string>();
  }
  return request;
}

}  // namespace palisade
