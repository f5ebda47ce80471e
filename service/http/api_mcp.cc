#include <algorithm>

#include "base/format.h"
#include "base/moment.h"
#include "base/time_text.h"
#include "service/http/base64.h"
#include "service/http/mcp_message.h"
#include "service/http/question.h"
#include "service/journal/contact_sheet.h"
#include "service/journal/event_query.h"
#include "service/journal/event_row.h"
#include "service/journal/frame_files.h"
#include "tasks/prompt.h"

namespace palisade {
namespace {

using Exchange = std::shared_ptr<HttpExchange>;

constexpr std::size_t kMaxMcpBytes = 1u << 20;
constexpr std::size_t kMaxFound = 50;

Json text_content(const std::string& text) {
  return {{"type", "text"}, {"text", text}};
}

Json picture_content(const Image& image) {
  const std::string jpeg = encode_frame(image, FrameStorage::kJpeg).bytes;
  return {{"type", "image"}, {"mimeType", "image/jpeg"}, {"data", base64_of(jpeg)}};
}

// One call of a tool: its arguments, and where its result goes.
struct ToolCall {
  HttpApi& api;
  Exchange exchange;
  McpRequest request;
  Json arguments = Json::object();

  void answer(Json content, bool is_error = false) const {
    exchange->respond(mcp_result(request, {{"content", std::move(content)}, {"isError", is_error}}));
  }
  // Told to the model, which may do better next time.
  void refuse(const std::string& why) const { answer(Json::array({text_content(why)}), true); }

  std::string text(const char* name) const {
    const Json value = arguments.value(name, Json());
    return value.is_string() ? value.get<std::string>() : "";
  }
  std::optional<Frame> newest(const std::string& camera) const {
    const auto picture = exchange->holder().may_see(camera) ? api.backend.newest(camera) : std::nullopt;
    return picture ? std::optional(picture->frame) : std::nullopt;
  }
};

void cameras(const ToolCall& call) {
  Json all = Json::array();
  for (const HttpStream& stream : call.api.backend.streams()) {
    if (!call.exchange->holder().may_see(stream.name)) continue;
    Json said = Json::array();
    for (const HttpTask& task : stream.tasks) {
      if (task.answered)
        said.push_back({{"task", task.name}, {"time", time_text(*task.answered)}, {"text", task.text}});
    }
    all.push_back(
        {{"camera", stream.name}, {"state", stream.state.state}, {"last_answers", std::move(said)}});
  }
  call.answer(Json::array({text_content(all.dump(1, ' ', false, Json::error_handler_t::replace))}));
}

void look(const ToolCall& call) {
  const auto frame = call.newest(call.text("camera"));
  if (!frame)
    return call.refuse("there is no picture of that camera yet, or no such camera; `cameras` lists them");
  call.answer(Json::array({text_content(time_text(frame->stamp.wall)),
                           picture_content(frame->view.empty() ? frame->image : frame->view)}));
}

void ask_about(const ToolCall& call, std::vector<Frame> frames) {
  if (call.exchange->holder().scope < HttpScope::kAsk)
    return call.refuse("asking needs a token of scope ask");
  const PlainText prompt = prompt_of_words(call.text("question"), "en");
  if (!prompt.fault.empty()) return call.refuse("question " + prompt.fault);
  HttpQuestion question{.prompt = prompt.text, .task = std::string(task_of_prompt(prompt.text))};
  question.clip.sampling.count = int(frames.size());
  question.clip.frames = std::move(frames);
  ask(call.api, call.exchange, std::move(question), [call](const HttpAnswer& answer) {
    Json said = {{"text", answer.data["text"]}, {"prompt", answer.data["prompt"]}};
    if (answer.data.contains("choices")) said["choices"] = answer.data["choices"];
    call.answer(Json::array({text_content(said.dump(-1, ' ', false, Json::error_handler_t::replace))}));
  });
}

void ask_camera(const ToolCall& call) {
  const auto frame = call.newest(call.text("camera"));
  if (!frame)
    return call.refuse("there is no picture of that camera yet, or no such camera; `cameras` lists them");
  ask_about(call, {*frame});
}

void compare(const ToolCall& call) {
  const auto left = call.newest(call.text("left")), right = call.newest(call.text("right"));
  if (!left || !right) return call.refuse("there is no picture of one of them yet, or no such camera");
  ask_about(call, {*left, *right});
}

void find_events(const ToolCall& call) {
  const auto folder = call.api.backend.journal();
  if (!folder) return call.refuse("this service keeps no journal");
  EventFilter filter{
      .words = call.text("words"), .stream = call.text("camera"), .newest_first = true, .limit = kMaxFound};
  if (const std::string from = call.text("from"); !from.empty()) filter.from_ms = moment_ms(from, "from");
  std::string lines;
  for (const StoredEvent& event : EventQuery(*folder).find(filter)) {
    const Json json = parse_json(event.body, event.topic);
    if (!call.exchange->holder().may_see(json.value("subject", ""))) continue;
    const Json& data = json["data"];
    lines += format("{} {} {}: {}\n", event.id, json.value("time", ""), event.topic.substr(12),
                    data.value("text", data.value("state", "")));
  }
  call.answer(Json::array({text_content(lines.empty() ? "nothing was found" : lines)}));
}

void show_event(const ToolCall& call) {
  const auto folder = call.api.backend.journal();
  if (!folder) return call.refuse("this service keeps no journal");
  const StoredEvent event = EventQuery(*folder).event(call.text("id"));
  const Json json = parse_json(event.body, event.topic);
  if (!call.exchange->holder().may_see(json.value("subject", "")))
    return call.refuse("there is no such event");
  Json content = Json::array({text_content(event.body)});
  const auto frames = stored_frames(*folder, event.id, picture_hashes_of(event.body, event.topic).frames);
  if (std::ranges::any_of(frames, [](const auto& frame) { return frame.has_value(); }))
    content.push_back(picture_content(contact_sheet(frames)));
  call.answer(std::move(content));
}

struct Tool {
  const char* name;
  const char* description;
  std::vector<std::pair<const char*, const char*>> arguments;  // texts: name and what it is
  std::size_t required;                                        // so many of them
  void (*call)(const ToolCall&);
};

// None of them changes anything.
const std::vector<Tool>& tools() {
  static const std::vector<Tool> all{
      {"cameras", "All cameras: their state and last answers", {}, 0, cameras},
      {"look", "The newest picture of a camera", {{"camera", "its name"}}, 1, look},
      {"ask_camera",
       "Ask PaliGemma about the newest picture of a camera",
       {{"camera", "its name"}, {"question", "a short question, or a prompt such as `detect car`"}},
       2,
       ask_camera},
      {"compare",
       "Ask PaliGemma whether a statement about two cameras' newest pictures is true",
       {{"left", "the first camera"}, {"right", "the second camera"}, {"question", "a statement about both"}},
       3,
       compare},
      {"find_events",
       "Search what was said: answers, alerts and states, newest first",
       {{"words", "all of these words"},
        {"camera", "of this camera"},
        {"from", "since a time or an age: 2h, 7d"}},
       0,
       find_events},
      {"get_event",
       "One event, whole, and the frames that it saw",
       {{"id", "its id, or the beginning of it"}},
       1,
       show_event}};
  return all;
}

Json listed_tools() {
  Json list = Json::array();
  for (const Tool& tool : tools()) {
    Json properties = Json::object(), required = Json::array();
    for (std::size_t i = 0; i < tool.arguments.size(); ++i) {
      properties[tool.arguments[i].first] = {{"type", "string"}, {"description", tool.arguments[i].second}};
      if (i < tool.required) required.push_back(tool.arguments[i].first);
    }
    list.push_back(
        {{"name", tool.name},
         {"description", tool.description},
         {"inputSchema",
          {{"type", "object"}, {"properties", std::move(properties)}, {"required", std::move(required)}}},
         {"annotations", {{"readOnlyHint", true}}}});
  }
  return {{"tools", std::move(list)}, {"ttlMs", 0}, {"cacheScope", "private"}};
}

void call_tool(HttpApi& api, const Exchange& exchange, const McpRequest& request) {
  const Json name = request.params.value("name", Json());
  const auto tool = std::ranges::find_if(tools(), [&](const Tool& one) { return name == one.name; });
  if (tool == tools().end())
    return exchange->respond(
        mcp_fault(request.id, {kMcpInvalidParams, "there is no such tool; tools/list names them", {}}));
  ToolCall call{.api = api, .exchange = exchange, .request = request};
  if (request.params.contains("arguments") && request.params["arguments"].is_object())
    call.arguments = request.params["arguments"];
  try {
    tool->call(call);
  } catch (const Error& error) {
    call.refuse(error.what());
  }
}

void serve_mcp(HttpApi& api, const Exchange& exchange) {
  McpFault fault;
  const auto request = read_mcp(exchange->request(), fault);
  if (!request) return exchange->respond(mcp_fault(nullptr, fault));
  if (request->id.is_null()) return exchange->respond({.status = 202, .headers = {}});
  if (request->method == "initialize")
    return exchange->respond(mcp_result(*request, mcp_initialized(request->params)));
  if (request->method == "server/discover") return exchange->respond(mcp_result(*request, mcp_discovered()));
  if (request->method == "ping") return exchange->respond(mcp_result(*request, Json::object()));
  if (request->method == "tools/list") return exchange->respond(mcp_result(*request, listed_tools()));
  if (request->method == "tools/call") return call_tool(api, exchange, *request);
  exchange->respond(mcp_fault(
      request->id, {kMcpMethodNotFound, "this is not known here: " + request->method.substr(0, 64), {}}));
}

}  // namespace

void add_mcp_routes(HttpRouter& router, HttpApi& api) {
  router.add({.method = HttpMethod::kPost,
              .pattern = "/mcp",
              .scope = HttpScope::kView,
              .handler =
                  [&api](const Exchange& exchange) {
                    exchange->work([&api, exchange] { serve_mcp(api, exchange); });
                  },
              .body_bytes = kMaxMcpBytes});
}

}  // namespace palisade
