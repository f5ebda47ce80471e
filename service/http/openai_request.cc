#include "service/http/openai_request.h"

#include <algorithm>
#include <cctype>
#include <optional>

#include "base/error.h"
#include "base/format.h"
#include "service/http/question.h"
#include "tasks/prompt.h"

namespace palisade {
namespace {

constexpr std::string_view kTasks[] = {"caption", "describe", "answer", "detect"};
constexpr int kMaxStops = 4, kMaxAnswerTokens = 512, kMaxTopLogprobs = 5;
constexpr std::size_t kMaxMessages = 256;

// "Image 1:", "frame 2": what clients put before each picture.
bool is_label(std::string_view line) {
  std::string lowered(line);
  for (char& c : lowered) c = char(std::tolower(static_cast<unsigned char>(c)));
  for (const std::string_view word : {"image", "frame", "picture"}) {
    if (!lowered.starts_with(word)) continue;
    const std::string_view rest = std::string_view(lowered).substr(word.size());
    return std::ranges::all_of(
        rest, [](char c) { return c == ' ' || c == ':' || c == '#' || (c >= '0' && c <= '9'); });
  }
  return false;
}

std::string picture_text(const Json& part) {
  const Json& url = part.at("image_url");
  return url.is_string() ? url.get<std::string>() : url.at("url").get<std::string>();
}

// Reads all messages: their pictures in order, and the last text of the user.
class MessageReader {
 public:
  MessageReader(ChatRequest& chat, const EngineModel& model) : chat_(chat), model_(model) {}

  void read(const Json& messages) {
    if (!messages.is_array() || messages.empty() || messages.size() > kMaxMessages)
      throw UsageError(format("messages is a list of 1 to {}", kMaxMessages));
    for (std::size_t i = 0; i < messages.size(); ++i) read_message(messages[i], format("messages[{}]", i));
  }
  const std::string& text() const { return text_; }

 private:
  void read_message(const Json& message, const std::string& place) {
    const std::string role = message.at("role").get<std::string>();
    const Json& content = message.at("content");
    std::string text;
    if (content.is_string()) {
      text = content.get<std::string>();
    } else if (content.is_array()) {
      text = read_parts(content, place);
    } else if (!content.is_null()) {
      throw UsageError(format("{}.content is text or a list of parts", place));
    }
    if (role != "user") {
      if (!text.empty()) chat_.ignored.push_back(place + ".content");
      return;
    }
    if (text.empty()) return;
    if (!text_.empty()) chat_.ignored.push_back(text_place_);
    text_ = std::move(text);
    text_place_ = place + ".content";
  }

  // The texts of a message. What stands right before a picture is its label where there is text that is
  // none: "Image 1:", the name of a file, what a tracker saw.
  std::string read_parts(const Json& parts, const std::string& place) {
    struct Text {
      std::string text, place;
      bool is_before_picture = false;
    };
    std::vector<Text> texts;
    bool after_text = false;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const std::string type = parts[i].at("type").get<std::string>();
      if (type == "text") {
        const std::string text = parts[i].at("text").get<std::string>();
        after_text = !is_label(text);
        if (after_text) texts.push_back({text, format("{}.content[{}]", place, i)});
      } else if (type == "image_url") {
        chat_.frames.push_back(frame_of_text(picture_text(parts[i]), model_));
        if (after_text) texts.back().is_before_picture = true;
        after_text = false;
      } else {
        throw UsageError(format("a part of type '{}' cannot be read; text and image_url can", type));
      }
    }
    const bool labelled = !std::ranges::all_of(texts, &Text::is_before_picture);
    std::string joined;
    for (const Text& text : texts) {
      if (labelled && text.is_before_picture) {
        chat_.ignored.push_back(text.place);
      } else {
        joined += format("{}{}", joined.empty() ? "" : " ", text.text);
      }
    }
    return joined;
  }

  ChatRequest& chat_;
  const EngineModel& model_;
  std::string text_, text_place_;
};

std::optional<double> number_in(const Json& body, const char* key, double least, double most) {
  if (!body.contains(key) || body[key].is_null()) return std::nullopt;
  if (!body[key].is_number()) throw UsageError(format("{} is a number", key));
  const double value = body[key].get<double>();
  if (!(value >= least && value <= most)) throw UsageError(format("{} is from {} to {}", key, least, most));
  return value;
}

bool flag_in(const Json& body, const char* key) {
  if (!body.contains(key) || body[key].is_null()) return false;
  if (!body[key].is_boolean()) throw UsageError(format("{} is true or false", key));
  return body[key].get<bool>();
}

// What this service cannot do is told, not left out.
void refuse_what_cannot_be(const Json& body) {
  if (number_in(body, "n", 1, 128).value_or(1) > 1) throw UsageError("n: one answer a request");
  for (const char* const key : {"frequency_penalty", "presence_penalty"}) {
    if (number_in(body, key, -2, 2).value_or(0) != 0) throw UsageError(format("{} is not supported", key));
  }
  if (body.contains("logit_bias") && !body["logit_bias"].empty())
    throw UsageError("logit_bias is not supported");
  const Json choice = body.value("tool_choice", Json());
  if (choice.is_object() || choice == "required") throw UsageError("tool_choice: PaliGemma calls no tools");
}

void read_format(ChatRequest& chat, const Json& body) {
  if (!body.contains("response_format") || body["response_format"].is_null()) return;
  const Json& form = body["response_format"];
  const std::string type = form.at("type").get<std::string>();
  if (type == "text") return;
  if (type != "json_schema")
    throw UsageError(
        "response_format: PaliGemma writes text; a json_schema is filled, one question for each field");
  if (chat.logprobs)
    throw UsageError("logprobs: with a json_schema the probability of each field is in palisade.fields");
  chat.schema = answer_schema_of(form);
  for (const std::string& ignored : chat.schema->ignored) chat.ignored.push_back(ignored);
  if (!chat.stops.empty()) chat.ignored.emplace_back("stop");
}

DecodingMethod method_in(const Json& body) {
  const auto temperature = number_in(body, "temperature", 0, 2), top_p = number_in(body, "top_p", 0, 1);
  const auto seed = number_in(body, "seed", -9e15, 9e15);
  if (!temperature && !top_p && !seed) return Greedy{};
  if (temperature && *temperature == 0) return Greedy{};
  if (top_p && *top_p == 0) return Greedy{};
  return TokenSampling{.temperature = temperature.value_or(1),
                       .top_p = top_p.value_or(1),
                       .seed = std::uint64_t(std::int64_t(seed.value_or(0)))};
}

std::vector<std::string> stops_in(const Json& body) {
  if (!body.contains("stop") || body["stop"].is_null()) return {};
  std::vector<std::string> stops;
  if (body["stop"].is_string()) {
    stops.push_back(body["stop"].get<std::string>());
  } else {
    stops = body["stop"].get<std::vector<std::string>>();
  }
  if (stops.size() > kMaxStops || std::ranges::any_of(stops, &std::string::empty))
    throw UsageError(format("stop is a text or a list of up to {}, none of them empty", kMaxStops));
  return stops;
}

void read_model(ChatRequest& chat, const Json& body, const std::string& id) {
  chat.model = body.at("model").get<std::string>();
  const std::vector<std::string> known = chat_models(id);
  if (std::ranges::find(known, chat.model) == known.end())
    throw HttpFault(
        {.status = 404,
         .message = format("there is no model '{}'; /v1/models lists those that there are", chat.model),
         .code = "model_not_found",
         .param = "model"});
}

void read_prompt(ChatRequest& chat, const std::string& text, const std::string& id) {
  if (chat.schema) {
    if (!text.empty()) chat.ignored.emplace_back("text");
    return;
  }
  std::string words = text;
  const std::string task = chat.model.size() > id.size() ? chat.model.substr(id.size() + 1) : "";
  if (task == "caption" || task == "describe") {
    if (!words.empty()) chat.ignored.emplace_back("text");
    words = task + " en";
  } else if (task == "detect" && !words.starts_with("detect ")) {
    words = "detect " + words;
  }
  const PlainText prompt = prompt_of_words(words, "en");
  if (!prompt.fault.empty() && !chat.frames.empty()) throw UsageError("the user's text " + prompt.fault);
  chat.prompt = prompt.text;
  chat.task = std::string(task_of_prompt(chat.prompt));
}

void read_numbers(ChatRequest& chat, const Json& body) {
  for (const char* const key : {"max_tokens", "max_completion_tokens"}) {
    if (const auto most = number_in(body, key, 1, 1e9))
      chat.max_tokens = int(std::min(*most, double(kMaxAnswerTokens)));
  }
  chat.method = method_in(body);
  chat.stops = stops_in(body);
  chat.stream = flag_in(body, "stream");
  if (body.contains("stream_options") && body["stream_options"].is_object())
    chat.include_usage = flag_in(body["stream_options"], "include_usage");
  chat.logprobs = flag_in(body, "logprobs");
  chat.top_logprobs = int(number_in(body, "top_logprobs", 0, kMaxTopLogprobs).value_or(0));
  if (chat.top_logprobs > 0 && !chat.logprobs) throw UsageError("top_logprobs needs logprobs: true");
}

void tell_ignored(ChatRequest& chat, const Json& body) {
  constexpr std::string_view kRead[] = {
      "model", "messages",   "max_tokens",       "max_completion_tokens", "temperature",    "top_p",
      "seed",  "stop",       "stream",           "stream_options",        "logprobs",       "top_logprobs",
      "n",     "logit_bias", "presence_penalty", "frequency_penalty",     "response_format"};
  for (const auto& [key, value] : body.items()) {
    if (std::ranges::find(kRead, key) == std::end(kRead) && !value.is_null()) chat.ignored.push_back(key);
  }
}

}  // namespace

std::vector<std::string> chat_models(const std::string& id) {
  std::vector<std::string> names{id};
  for (const std::string_view task : kTasks) names.push_back(format("{}:{}", id, task));
  return names;
}

ChatRequest chat_request_of(const Json& body, const EngineModel& model) {
  ChatRequest chat;
  const std::string id = model.identity().id;
  try {
    read_model(chat, body, id);
    refuse_what_cannot_be(body);
    read_numbers(chat, body);
    read_format(chat, body);
    MessageReader messages(chat, model);
    messages.read(body.at("messages"));
    read_prompt(chat, messages.text(), id);
  } catch (const Json::exception& error) {
    throw UsageError(format("not a chat request: {}", error.what()));
  }
  const std::size_t sent = chat.frames.size();
  if (chat.schema && sent == 0) throw UsageError("response_format: fields are read from pictures; send one");
  chat.frames = thinned(std::move(chat.frames), chat.schema ? AnswerSchema::kMaxPictures : kMaxPicturesAsked);
  chat.pictures_used = int(chat.frames.size());
  if (sent > chat.frames.size())
    chat.notice = format("{} of {} pictures were used, evenly spread", chat.frames.size(), sent);
  tell_ignored(chat, body);
  return chat;
}

}  // namespace palisade
