#include <algorithm>
#include <cmath>

#include "base/duration.h"
#include "base/error.h"
#include "base/format.h"
#include "service/asking/batch.h"
#include "service/http/base64.h"
#include "service/http/meant_event.h"
#include "service/http/question.h"
#include "service/journal/contact_sheet.h"
#include "service/journal/event_row.h"
#include "service/journal/frame_codec.h"
#include "service/journal/frame_files.h"
#include "tasks/prompt.h"
#include "tasks/task.h"

namespace palisade {
namespace {

using Exchange = std::shared_ptr<HttpExchange>;

constexpr std::size_t kMaxAskBody = 32u << 20;
constexpr std::chrono::milliseconds kLongestLast{16'000};
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

std::vector<Frame> frames_of_event(HttpApi& api, const Exchange& exchange, const std::string& id) {
  const MeantEvent meant = meant_event(api, *exchange, id, "event");
  std::vector<Frame> frames;
  for (const auto& frame : stored_frames(meant.folder, meant.stored.id,
                                         picture_hashes_of(meant.stored.body, meant.stored.topic).frames)) {
    if (!frame) throw UsageError("frames of this event are not kept, or no longer");
    // What was kept is the model's square: the camera's size is not known, so that boxes are told as text
    // alone.
    frames.push_back({.stream = meant.event.value("subject", ""), .image = decode_frame(*frame)});
  }
  if (frames.empty()) throw UsageError("this event saw no frames");
  return frames;
}

// The last seconds of a stream, thinned evenly.
std::vector<Frame> last_of(HttpApi& api, const Exchange& exchange, const std::string& stream,
                           const std::string& last) {
  const auto span = duration_of(last);
  if (!span || span->count() == 0 || *span > kLongestLast)
    throw UsageError("last is a duration of at most 16s, such as 10s");
  std::vector<Frame> frames;
  if (exchange->holder().may_see(stream)) frames = api.backend.recent(stream, *span);
  if (frames.empty())
    throw HttpFault({.status = 404,
                     .message = format("there are no pictures of '{}' now, or no such stream", stream),
                     .code = "not_found",
                     .param = "stream"});
  return thinned(std::move(frames), kMaxPicturesAsked);
}

// The upload that a picture of a request names; nothing where it is one itself.
std::optional<HttpUpload> upload_named(HttpApi& api, const Exchange& exchange, const Json& picture) {
  std::string id;
  if (picture.is_object() && picture.size() == 1 && picture.contains("upload") &&
      picture["upload"].is_string()) {
    id = picture["upload"].get<std::string>();
  } else if (picture.is_string()) {
    const auto& text = picture.get_ref<const std::string&>();
    if (!text.starts_with("upload:")) return std::nullopt;
    id = text;
  } else {
    throw UsageError(R"(pictures is a list of base64 texts, data: URLs and {"upload": "upload:..."})");
  }
  auto upload = api.uploads.find(exchange->holder().name, id, wall_now());
  if (!upload)
    throw HttpFault({.status = 404,
                     .message = format("there is no upload '{}' of yours, or no longer", id.substr(0, 64)),
                     .code = "not_found",
                     .param = "pictures"});
  return upload;
}

Frame picture_asked(HttpApi& api, const Exchange& exchange, const Json& picture) {
  try {
    const auto upload = upload_named(api, exchange, picture);
    if (!upload) return frame_of_text(picture.get_ref<const std::string&>(), api.backend.model());
    if (upload->film) throw UsageError("a film is asked about alone, without other pictures");
    return frame_of_file(upload->file, api.backend.model());
  } catch (const UsageError& error) {
    throw HttpFault({.status = 400, .message = error.what(), .code = "invalid_image", .param = "pictures"});
  }
}

std::vector<Frame> frames_asked(HttpApi& api, const Exchange& exchange, const Json& body) {
  const int sources = int(body.contains("pictures")) + int(body.contains("stream")) +
                      int(body.contains("streams")) + int(body.contains("event"));
  if (sources != 1) throw UsageError(format("what is asked about is {}", kSources));
  std::vector<Frame> frames;
  if (body.contains("event")) return frames_of_event(api, exchange, text_in(body, "event"));
  if (body.contains("last") && !body.contains("stream")) throw UsageError("last is of one stream");
  if (body.contains("last")) return last_of(api, exchange, text_in(body, "stream"), text_in(body, "last"));
  if (body.contains("stream")) return {newest_of(api, exchange, text_in(body, "stream"))};
  for (const std::string& stream : texts_in(body, "streams"))
    frames.push_back(newest_of(api, exchange, stream));
  if (body.contains("pictures") && !body["pictures"].is_array()) throw UsageError("pictures is a list");
  if (body.contains("pictures") && body["pictures"].size() > kMaxPicturesAsked)
    throw UsageError(format("1 to {} pictures are asked about", kMaxPicturesAsked));
  for (const Json& picture : body.value("pictures", Json::array()))
    frames.push_back(picture_asked(api, exchange, picture));
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

// Without its pictures.
HttpQuestion question_of(const Json& body) {
  if (body.contains("sheet") && !body["sheet"].is_boolean()) throw UsageError("sheet is true or false");
  for (const auto& [key, value] : body.items()) {
    constexpr std::string_view kKnown[] = {"prompt",         "language", "choices", "pictures",
                                           "stream",         "last",     "streams", "event",
                                           "max_new_tokens", "type",     "sheet",   "adapter"};
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

// What was seen, as one picture.
std::string sheet_of(const std::vector<Frame>& frames) {
  std::vector<std::optional<EncodedFrame>> encoded;
  for (const Frame& frame : frames) encoded.emplace_back(encode_frame(frame.image, FrameStorage::kJpeg));
  return jpeg_url(encode_frame(contact_sheet(encoded), FrameStorage::kJpeg).bytes);
}

void ask_about(HttpApi& api, const Exchange& exchange, HttpQuestion question, bool with_sheet) {
  question.clip.sampling.count = int(question.clip.frames.size());
  const auto data_of = [frames =
                            with_sheet ? question.clip.frames : std::vector<Frame>()](HttpAnswer answer) {
    if (!frames.empty()) answer.data["sheet"] = sheet_of(frames);
    return std::move(answer.data);
  };
  const bool streams = exchange->request().header("accept").find("text/event-stream") != std::string::npos;
  if (!streams)
    return void(ask(api, exchange, std::move(question), [exchange, data_of](HttpAnswer answer) {
      exchange->respond(json_response(data_of(std::move(answer))));
    }));
  const HttpResponse head{.type = "text/event-stream", .headers = {}};
  question.progress = [exchange, head](const AnswerProgress& progress) {
    exchange->begin(head);
    if (progress.stage == AnswerStage::kDecoding)
      exchange->send(server_sent("text", {{"text", progress.text}}));
    else
      exchange->send(server_sent("stage", {{"stage", name_of(progress.stage)}}));
  };
  const bool asked = ask(api, exchange, std::move(question), [exchange, head, data_of](HttpAnswer answer) {
    exchange->begin(head);
    exchange->send(server_sent("answer", data_of(std::move(answer))));
    exchange->end();
  });
  if (asked) exchange->begin(head);  // a question that is refused keeps its status
}

// The film that is asked about; nothing where it is pictures.
std::optional<HttpUpload> film_asked(HttpApi& api, const Exchange& exchange, const Json& body) {
  const auto pictures = body.find("pictures");
  if (pictures == body.end() || !pictures->is_array() || pictures->size() != 1) return std::nullopt;
  auto upload = upload_named(api, exchange, pictures->front());
  if (upload && !upload->film) upload.reset();
  return upload;
}

void ask_film(HttpApi& api, const Exchange& exchange, const HttpUpload& film, HttpQuestion question,
              bool with_sheet) {
  auto kept = std::make_shared<HttpQuestion>(std::move(question));
  const bool begun = api.backend.read_film(
      film.file, kMaxPicturesAsked,
      [&api, exchange, kept, with_sheet](std::vector<Frame> frames, const std::string& message) {
        if (frames.empty())
          return exchange->fail(
              {.status = 400, .message = message, .code = "invalid_image", .param = "pictures"});
        kept->clip.frames = std::move(frames);
        exchange->work(
            [&api, exchange, kept, with_sheet] { ask_about(api, exchange, std::move(*kept), with_sheet); });
      });
  if (!begun)
    exchange->fail(
        {.status = 429, .message = "two films are being read; try again", .code = "too_many_films"});
}

void ask_whole(HttpApi& api, const Exchange& exchange) {
  if (exchange->gone()) return api.metrics.cancelled();
  const Json body = body_of(exchange->request());
  HttpQuestion question = question_of(body);
  if (body.contains("adapter")) question.adapter = adapter_named(api, text_in(body, "adapter"));
  const bool with_sheet = body.value("sheet", false);
  if (const auto film = film_asked(api, exchange, body))
    return ask_film(api, exchange, *film, std::move(question), with_sheet);
  question.clip.frames = frames_asked(api, exchange, body);
  ask_about(api, exchange, std::move(question), with_sheet);
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
