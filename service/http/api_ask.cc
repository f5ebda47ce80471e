#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/format.h"
#include "service/asking/batch.h"
#include "service/http/question.h"
#include "service/journal/event_query.h"
#include "service/journal/event_row.h"
#include "service/journal/frame_files.h"
#include "tasks/prompt.h"
#include "tasks/task.h"

namespace palisade {
namespace {

using Exchange = std::shared_ptr<HttpExchange>;

constexpr std::size_t kMaxAskBody = 32u << 20;
constexpr std::string_view kSources =
    R"(one of "pictures": [...], "stream": NAME, "streams": [A, B], "event": ID)";

std::string text_in(const Json& json, const char* key) {
  if (!json.contains(key)) return {};
  if (!json[key].is_string()) throw UsageError(format("{} is text", key));
  return json[key].get<std::string>();
}

std::vector<std::string> texts_in(const Json& json, const char* key) {
  std::vector<std::string> texts;
  if (!json.contains(key)) return texts;
  if (!json[key].is_array()) throw UsageError(format("{} is a list of texts", key));
  for (const Json& text : json[key]) {
    if (!text.is_string()) throw UsageError(format("{} is a list of texts", key));
    texts.push_back(text.get<std::string>());
  }
  return texts;
}

Frame newest_of(HttpApi& api, const Exchange& exchange, const std::string& stream) {
  const auto picture = exchange->holder().may_see(stream) ? api.backend.newest(stream) : std::nullopt;
  if (!picture)
    throw HttpFault({.status = 404,
                     .message = format("there is no picture of '{}' yet, or no such stream", stream),
                     .code = "not_found",
                     .param = "stream"});
  return picture->frame;
}

std::optional<StoredEvent> event_of(const std::filesystem::path& folder, const std::string& id) {
  try {
    return EventQuery(folder).event(id);
  } catch (const Error&) {
    return std::nullopt;  // there is none, or several
  }
}

std::vector<Frame> frames_of_event(HttpApi& api, const Exchange& exchange, const std::string& id) {
  const auto folder = api.backend.journal();
  if (!folder) throw UsageError("this service keeps no journal, so there are no events to ask about");
  const auto event = event_of(*folder, id);
  const Json json = event ? parse_json(event->body, event->topic) : Json::object();
  const std::string stream = json.value("subject", "");
  if (!event || !exchange->holder().may_see(stream))
    throw HttpFault({.status = 404,
                     .message = format("there is no event '{}'", id.substr(0, 64)),
                     .code = "not_found",
                     .param = "event"});
  std::vector<Frame> frames;
  for (const auto& frame :
       stored_frames(*folder, event->id, picture_hashes_of(event->body, event->topic).frames)) {
    if (!frame) throw UsageError("frames of this event are not kept, or no longer");
    // What was kept is the model's square: the camera's size is not known, so that boxes are told as text
    // alone.
    frames.push_back({.stream = stream, .image = decode_frame(*frame)});
  }
  if (frames.empty()) throw UsageError("this event saw no frames");
  return frames;
}

std::vector<Frame> frames_asked(HttpApi& api, const Exchange& exchange, const Json& body) {
  const int sources = int(body.contains("pictures")) + int(body.contains("stream")) +
                      int(body.contains("streams")) + int(body.contains("event"));
  if (sources != 1) throw UsageError(format("what is asked about is {}", kSources));
  std::vector<Frame> frames;
  if (body.contains("event")) return frames_of_event(api, exchange, text_in(body, "event"));
  if (body.contains("stream")) return {newest_of(api, exchange, text_in(body, "stream"))};
  for (const std::string& stream : texts_in(body, "streams"))
    frames.push_back(newest_of(api, exchange, stream));
  for (const std::string& picture : texts_in(body, "pictures")) {
    try {
      frames.push_back(frame_of_text(picture, api.backend.model()));
    } catch (const UsageError& error) {
      throw HttpFault({.status = 404, .message = error.what(), .code = "no_picture", .param = "pictures"});
    }
  }
  if (frames.empty() || frames.size() > kMaxPicturesAsked)
    throw UsageError(format("1 to {} pictures are asked about", kMaxPicturesAsked));
  return frames;
}

Choices choices_asked(const Json& body) {
  Choices choices;
  for (const std::string& text : texts_in(body, "choices")) {
    const PlainText read = plain_text(text);
    if (!read.fault.empty()) throw UsageError("a choice " + read.fault);
    if (read.text.empty() || std::ranges::count(choices.texts, read.text) > 0)
      throw UsageError("choices are different texts, none of them empty");
    choices.texts.push_back(read.text);
  }
  return choices;
}

AnswerType type_asked(const Json& body) {
  const auto type = answer_type_of(text_in(body, "type"));
  if (!type) throw UsageError(format("type is {}", kAnswerTypes));
  if (const auto fault = fault_of(*type)) throw UsageError("type: " + *fault);
  if (type->kind != AnswerType::Kind::kText && body.contains("choices"))
    throw UsageError("type and choices; give one of them");
  return *type;
}

HttpQuestion question_of(HttpApi& api, const Exchange& exchange, const Json& body) {
  for (const auto& [key, value] : body.items()) {
    constexpr std::string_view kKnown[] = {"prompt",  "language", "choices",        "pictures", "stream",
                                           "streams", "event",    "max_new_tokens", "type"};
    if (std::ranges::find(kKnown, key) == std::end(kKnown))
      throw UsageError(format("'{}' is not known here", key));
  }
  const std::string language = body.contains("language") ? text_in(body, "language") : "en";
  if (!is_language(language)) throw UsageError("language is a code such as en or de");
  const PlainText prompt = prompt_of_words(text_in(body, "prompt"), language);
  if (!prompt.fault.empty()) throw UsageError("prompt " + prompt.fault);
  HttpQuestion question{.prompt = prompt.text};
  if (body.contains("max_new_tokens")) {
    const Json& most = body["max_new_tokens"];
    const double tokens = most.is_number() ? most.get<double>() : 0;
    if (!(tokens >= 1 && tokens <= 512) || tokens != std::floor(tokens))
      throw UsageError("max_new_tokens is a whole number, 1 to 512");
    question.max_new_tokens = int(tokens);
  }
  if (Choices choices = choices_asked(body); !choices.texts.empty()) question.method = std::move(choices);
  if (body.contains("type")) question.type = type_asked(body);
  if (question.type.kind != AnswerType::Kind::kText) question.method = method_of(question.type);
  question.clip.frames = frames_asked(api, exchange, body);
  question.clip.sampling.count = int(question.clip.frames.size());
  question.task = std::string(task_of_prompt(question.prompt));
  if (!body.contains("max_new_tokens")) question.max_new_tokens = find_task(question.task)->max_new_tokens;
  return question;
}

std::string server_sent(const std::string& event, const Json& data) {
  return format("event: {}\ndata: {}\n\n", event, data.dump(-1, ' ', false, Json::error_handler_t::replace));
}

std::string_view name_of(AnswerStage stage) {
  switch (stage) {
    case AnswerStage::kQueued:
      return "queued";
    case AnswerStage::kEncoding:
      return "encode";
    case AnswerStage::kPrefill:
      return "prefill";
    case AnswerStage::kDecoding:
      return "decode";
  }
  return {};
}

void ask_whole(HttpApi& api, const Exchange& exchange) {
  HttpQuestion question = question_of(api, exchange, body_of(exchange->request()));
  const bool streams = exchange->request().header("accept").find("text/event-stream") != std::string::npos;
  if (!streams)
    return void(ask(api, exchange, std::move(question),
                    [exchange](const HttpAnswer& answer) { exchange->respond(json_response(answer.data)); }));
  const HttpResponse head{.type = "text/event-stream", .headers = {}};
  question.progress = [exchange, head](const AnswerProgress& progress) {
    exchange->begin(head);
    if (progress.stage == AnswerStage::kDecoding)
      exchange->send(server_sent("text", {{"text", progress.text}}));
    else
      exchange->send(server_sent("stage", {{"stage", name_of(progress.stage)}}));
  };
  const bool asked = ask(api, exchange, std::move(question), [exchange, head](const HttpAnswer& answer) {
    exchange->begin(head);
    exchange->send(server_sent("answer", answer.data));
    exchange->end();
  });
  if (asked) exchange->begin(head);  // a question that is refused keeps its status
}

}  // namespace

void add_ask_routes(HttpRouter& router, HttpApi& api) {
  router.add({.method = HttpMethod::kPost,
              .pattern = "/api/v1/ask",
              .scope = HttpScope::kAsk,
              .handler =
                  [&api](const Exchange& exchange) {
                    exchange->work([&api, exchange] { ask_whole(api, exchange); });
                  },
              .body_bytes = kMaxAskBody});
}

}  // namespace palisade
