#include <algorithm>
#include <chrono>
#include <cmath>
#include <mutex>

#include "base/error.h"
#include "base/format.h"
#include "base/ulid.h"
#include "service/http/openai_request.h"
#include "service/http/question.h"
#include "service/http/schema_filling.h"

namespace palisade {
namespace {

using Exchange = std::shared_ptr<HttpExchange>;

constexpr std::size_t kMaxChatBytes = 32u << 20;
constexpr const char* kNoPictures = "PaliGemma answers about pictures, and none was sent.";

std::int64_t seconds_now() {
  return std::chrono::floor<std::chrono::seconds>(wall_now().time_since_epoch()).count();
}

std::string new_id() {
  UlidSource ids;
  return "chatcmpl-" + ids.next(wall_now());
}

std::string dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// What an answer has in common with each of its pieces.
struct Chat {
  std::string id = new_id();
  std::int64_t created = seconds_now();
  std::string model;
  ChatRequest request;

  Json head(const char* object) const {
    return {{"id", id}, {"object", object}, {"created", created}, {"model", model}};
  }
  // What was really asked, beside what the openai clients know.
  Json palisade(const Json& fields) const {
    Json json = {
        {"prompt", request.prompt}, {"pictures_used", request.pictures_used}, {"ignored", request.ignored}};
    if (!fields.is_null()) json["fields"] = fields;
    if (!request.notice.empty()) json["notice"] = request.notice;
    return json;
  }
  std::string piece(const Json& delta, const Json& finish = nullptr, const Json& logprobs = nullptr) const {
    Json json = head("chat.completion.chunk");
    Json choice = {{"index", 0}, {"delta", delta}, {"finish_reason", finish}};
    if (!logprobs.is_null()) choice["logprobs"] = logprobs;
    json["choices"] = Json::array({std::move(choice)});
    return format("data: {}\n\n", dumped(json));
  }
};
using SharedChat = std::shared_ptr<const Chat>;

// Before the first of the texts at which an answer is to stop.
std::string cut_at(std::string text, const std::vector<std::string>& stops, bool& stopped) {
  std::size_t end = text.size();
  for (const std::string& stop : stops) end = std::min(end, text.find(stop));
  stopped = end < text.size();
  text.resize(end);
  return text;
}

std::string finish_of(const Answer& answer, bool stopped) {
  return answer.finish_reason == FinishReason::kStop || stopped ? "stop" : "length";
}

Json byte_list(const std::string& text) {
  Json bytes = Json::array();
  for (const char c : text) bytes.push_back(int(static_cast<unsigned char>(c)));
  return bytes;
}

// A log-probability that JSON can hold.
double finite(double logprob) {
  return std::isfinite(logprob) ? logprob : -9999.0;
}

Json logprobs_of(const Answer& answer, int wanted) {
  Json content = Json::array();
  for (std::size_t step = 0; step < answer.token_logprobs.size() && step < answer.token_ids.size(); ++step) {
    Json top = Json::array();
    std::string text;
    if (step < answer.top_tokens.size()) {
      for (const TopToken& one : answer.top_tokens[step]) {
        if (one.token == answer.token_ids[step]) text = one.text;
        if (int(top.size()) < wanted)
          top.push_back(
              {{"token", one.text}, {"logprob", finite(one.logprob)}, {"bytes", byte_list(one.text)}});
      }
    }
    content.push_back({{"token", text},
                       {"logprob", finite(answer.token_logprobs[step])},
                       {"bytes", byte_list(text)},
                       {"top_logprobs", std::move(top)}});
  }
  return {{"content", std::move(content)}, {"refusal", nullptr}};
}

// What a client gets of an answer.
struct Said {
  std::string text;
  std::string finish_reason;
  Json logprobs;  // null: not asked for
  Json fields;    // of a schema; else null
  int image_tokens = 0;
  std::size_t tokens = 0;
};

Said said_by(const Chat& chat, const HttpAnswer& answer) {
  bool stopped = false;
  Said said{.text = cut_at(answer.answer.text, chat.request.stops, stopped),
            .image_tokens = answer.image_tokens,
            .tokens = answer.answer.token_ids.size()};
  said.finish_reason = finish_of(answer.answer, stopped);
  if (chat.request.logprobs) said.logprobs = logprobs_of(answer.answer, chat.request.top_logprobs);
  return said;
}

Said said_by(const FilledSchema& filled) {
  return {.text = dumped(filled.value),
          .finish_reason = "stop",
          .logprobs = {},
          .fields = filled.fields,
          .image_tokens = filled.image_tokens,
          .tokens = filled.tokens};
}

// Of the prompt the pictures' tokens alone are counted; its words are few beside them.
Json usage_of(const Said& said) {
  return {{"prompt_tokens", said.image_tokens},
          {"completion_tokens", said.tokens},
          {"total_tokens", std::size_t(said.image_tokens) + said.tokens}};
}

Json whole_of(const Chat& chat, const Said& said) {
  Json json = chat.head("chat.completion");
  json["choices"] =
      Json::array({{{"index", 0},
                    {"message", {{"role", "assistant"}, {"content", said.text}, {"refusal", nullptr}}},
                    {"finish_reason", said.finish_reason},
                    {"logprobs", said.logprobs}}});
  json["usage"] = usage_of(said);
  json["palisade"] = chat.palisade(said.fields);
  return json;
}

// Sends an answer piece by piece. Text that came is sent once it cannot be the beginning of a stop any more.
// Any thread.
class PieceSender {
 public:
  PieceSender(SharedChat chat, Exchange exchange) : chat_(std::move(chat)), exchange_(std::move(exchange)) {
    for (const std::string& stop : chat_->request.stops) longest_ = std::max(longest_, stop.size());
  }
  // The first piece, which says who speaks; once. Before it the exchange can still be refused.
  void begin() {
    const std::lock_guard lock(mutex_);
    start();
  }
  void take(std::string_view text) {
    const std::lock_guard lock(mutex_);
    start();
    text_ += text;
    flush(longest_ > 0 ? longest_ - 1 : 0);
  }
  // All that has not been sent, and the end.
  void finish(const Said& said) {
    const std::lock_guard lock(mutex_);
    start();
    text_ = said.text;
    flush(0);
    exchange_->send(chat_->piece(Json::object(), said.finish_reason, said.logprobs));
    if (chat_->request.include_usage) {
      Json json = chat_->head("chat.completion.chunk");
      json["choices"] = Json::array();
      json["usage"] = usage_of(said);
      json["palisade"] = chat_->palisade(said.fields);
      exchange_->send(format("data: {}\n\n", dumped(json)));
    }
    exchange_->send("data: [DONE]\n\n");
    exchange_->end();
  }

 private:
  void start() {
    if (std::exchange(started_, true)) return;
    exchange_->begin({.type = "text/event-stream", .headers = {}});
    exchange_->send(chat_->piece({{"role", "assistant"}, {"content", ""}}));
  }
  void flush(std::size_t keep_back) {
    bool stopped = false;
    const std::string whole = cut_at(text_, chat_->request.stops, stopped);
    const std::size_t until = stopped ? whole.size() : whole.size() - std::min(whole.size(), keep_back);
    if (until <= sent_) return;
    exchange_->send(chat_->piece({{"content", whole.substr(sent_, until - sent_)}}));
    sent_ = until;
  }

  const SharedChat chat_;
  const Exchange exchange_;
  std::size_t longest_ = 0;
  std::mutex mutex_;
  // All below is guarded by mutex_.
  bool started_ = false;
  std::string text_;
  std::size_t sent_ = 0;
};

// Whole, or as it comes where `sender` is one.
void tell_said(const Exchange& exchange, const Chat& chat, const std::shared_ptr<PieceSender>& sender,
               const Said& said) {
  if (sender) return sender->finish(said);
  exchange->respond(json_response(whole_of(chat, said)));
}

void complete(HttpApi& api, const Exchange& exchange) {
  auto made = std::make_shared<Chat>();
  made->request = chat_request_of(body_of(exchange->request()), api.backend.model());
  made->model = made->request.model;
  std::vector<Frame> frames = std::exchange(made->request.frames, {});
  // Clients that try out whether a model is there send text alone.
  if (frames.empty()) made->request.notice = kNoPictures;
  const SharedChat chat = std::move(made);
  const auto sender = chat->request.stream ? std::make_shared<PieceSender>(chat, exchange) : nullptr;
  if (frames.empty())
    return tell_said(exchange, *chat, sender, {.text = kNoPictures, .finish_reason = "stop"});
  if (chat->request.schema) {
    const bool asked = fill_schema(api, exchange, *chat->request.schema, std::move(frames),
                                   {.max_tokens = chat->request.max_tokens, .method = chat->request.method},
                                   [exchange, chat, sender](const FilledSchema& filled) {
                                     tell_said(exchange, *chat, sender, said_by(filled));
                                   });
    if (asked && sender) sender->begin();
    return;
  }
  HttpQuestion question{.prompt = chat->request.prompt,
                        .task = chat->request.task,
                        .max_new_tokens = chat->request.max_tokens,
                        .method = chat->request.method,
                        .top_tokens = chat->request.logprobs ? kMaxTopTokens : 0};
  question.clip.frames = std::move(frames);
  question.clip.sampling.count = int(question.clip.frames.size());
  if (sender) {
    question.progress = [sender](const AnswerProgress& progress) {
      if (progress.stage == AnswerStage::kDecoding) sender->take(progress.text);
    };
  }
  const bool asked =
      ask(api, exchange, std::move(question), [exchange, chat, sender](const HttpAnswer& answer) {
        tell_said(exchange, *chat, sender, said_by(*chat, answer));
      });
  if (asked && sender) sender->begin();
}

Json model_json(const HttpApi& api, const std::string& id) {
  return {{"id", id},
          {"object", "model"},
          {"created", 0},
          {"owned_by", "palisade"},
          {"max_model_len", api.backend.model().max_tokens()}};
}

void models(HttpApi& api, const Exchange& exchange) {
  const std::vector<std::string> names = chat_models(api.backend.model().identity().id);
  const auto wanted = exchange->request().parts.find("model");
  if (wanted != exchange->request().parts.end()) {
    if (std::ranges::find(names, wanted->second) == names.end())
      return exchange->fail({.status = 404,
                             .message = format("there is no model '{}'", wanted->second),
                             .code = "model_not_found",
                             .param = "model"});
    return exchange->respond(json_response(model_json(api, wanted->second)));
  }
  Json list = Json::array();
  for (const std::string& name : names) list.push_back(model_json(api, name));
  exchange->respond(json_response({{"object", "list"}, {"data", std::move(list)}}));
}

}  // namespace

void add_openai_routes(HttpRouter& router, HttpApi& api) {
  router.add({.pattern = "/v1/models",
              .scope = HttpScope::kView,
              .handler = [&api](const Exchange& exchange) { models(api, exchange); }});
  router.add({.pattern = "/v1/models/{model}",
              .scope = HttpScope::kView,
              .handler = [&api](const Exchange& exchange) { models(api, exchange); }});
  router.add({.method = HttpMethod::kPost,
              .pattern = "/v1/chat/completions",
              .scope = HttpScope::kAsk,
              .handler =
                  [&api](const Exchange& exchange) {
                    exchange->work([&api, exchange] { complete(api, exchange); });
                  },
              .body_bytes = kMaxChatBytes});
}

}  // namespace palisade
