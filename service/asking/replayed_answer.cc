#include "service/asking/replayed_answer.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "service/asking/batch.h"
#include "service/events/event_record.h"
#include "tasks/answer_type.h"
#include "tasks/events/decoding_evidence.h"

namespace palisade {
namespace {

// What an event that is older than the field was decoded by.
constexpr int kFormerMaxNewTokens = 64;

Json field(const Json& data, const char* key) {
  const auto found = data.find(key);
  return found == data.end() ? Json() : *found;
}

// Whether the event's answer is one that this model would give, as far as its identity says.
bool is_of(const Json& model, const ModelIdentity& identity) {
  const Json now = to_json(identity);
  for (const char* const key : {"precision", "resize", "calibration"}) {
    if (field(model, key) != field(now, key)) return false;
  }
  // The hash says more than the name, which is that of a folder.
  const char* const key = model.contains("sha256") && now.contains("sha256") ? "sha256" : "id";
  return field(model, key) == field(now, key);
}

double probability_of_text(const Json& data) {
  return data.contains("logprob") ? std::exp(data["logprob"].get<double>()) : 0;
}

double p_moved(const Json& then, const Json& now) {
  double most = std::abs(probability_of_text(then) - probability_of_text(now));
  const Json before = field(then, "choices"), after = field(now, "choices");
  for (std::size_t i = 0; i < std::min(before.size(), after.size()); ++i)
    most = std::max(most, std::abs(before[i].at("p").get<double>() - after[i].at("p").get<double>()));
  return most;
}

AnswerType type_of_answer(const Json& data) {
  return data.contains("answer_type")
             ? answer_type_of_event(data["answer_type"].get<std::string>(), field(data, "choices"))
             : AnswerType{};
}

Request request_of(const Json& event, const Json& data, const std::vector<Image>& frames) {
  Request request{.prompts = {data.at("prompt").get<std::string>()}, .max_new_tokens = kFormerMaxNewTokens};
  for (const Image& image : frames)
    request.clip.frames.push_back({.stream = event.at("subject").get<std::string>(), .image = image});
  if (data.contains("decoding")) {
    DecodingEvidence decoding = decoding_of(data["decoding"], field(data, "choices"));
    request.method = std::move(decoding.method);
    request.max_new_tokens = decoding.max_new_tokens;
    if (data.contains("answer_type")) request.method = method_of(type_of_answer(data));
  }
  const std::string prune = data.at("window").value("prune", "");
  if (!prune.empty() && !read_prune(prune, request.prune)) throw Error("prune '" + prune + "' is not known");
  return request;
}

// The choices as the model itself gave them.
Json uncalibrated(Json choices) {
  for (Json& choice : choices) choice.erase("calibrated");
  return choices;
}

// The adapter to ask; nullopt where it is not at hand.
std::optional<SharedAdapter> adapter_of(const Json& data, const ReplayRule& rule) {
  const Json named = field(data, "adapter");
  for (const SharedAdapter& adapter : rule.adapters) {
    if (!named.is_null() && field(named, "sha256") == adapter->identity.sha256) return adapter;
  }
  if (!rule.as_it_was) return rule.adapters.size() == 1 ? rule.adapters.front() : nullptr;
  return named.is_null() ? std::optional(SharedAdapter()) : std::nullopt;
}

ReplayOutcome compared(const Json& then, const Json& now) {
  if (field(then, "text") != field(now, "text")) return ReplayOutcome::kDiffers;
  for (const char* const key : {"token_ids", "logprob", "token_logprobs", "finish_reason"}) {
    if (field(then, key) != field(now, key)) return ReplayOutcome::kSameText;
  }
  if (uncalibrated(field(then, "choices")) != field(now, "choices")) return ReplayOutcome::kSameText;
  return ReplayOutcome::kSame;
}

// Deadlines cut an answer at another token each time.
bool is_answer(const Json& event, const Json& data) {
  return event.value("type", "") == type_of(EventKind::kAnswer) && !data.contains("unchanged_since") &&
         !data.contains("truncated") && !data.contains("redacted") &&
         data.value("finish_reason", "") != "deadline";
}

}  // namespace

std::string_view name_of(ReplayOutcome outcome) {
  switch (outcome) {
    case ReplayOutcome::kSame:
      return "same";
    case ReplayOutcome::kSameText:
      return "same text";
    case ReplayOutcome::kDiffers:
      return "differs";
    case ReplayOutcome::kOtherModel:
      return "other model";
    case ReplayOutcome::kFramesGone:
      return "frames gone";
    case ReplayOutcome::kNotAnAnswer:
      return "not an answer";
  }
  return "";
}

namespace {

template <class Work>
auto reading_event(Work&& work) {
  try {
    return work();
  } catch (const Json::exception& error) {
    throw Error(std::string("an event cannot be replayed: ") + error.what());
  }
}

}  // namespace

std::variant<ReplayQuestion, ReplayedAnswer> replay_question(const Json& event,
                                                             const std::vector<Image>& frames,
                                                             const ReplayRule& rule) {
  using Question = std::variant<ReplayQuestion, ReplayedAnswer>;
  return reading_event([&]() -> Question {
    const Json& data = event.at("data");
    if (!is_answer(event, data)) return ReplayedAnswer{.outcome = ReplayOutcome::kNotAnAnswer};
    const auto adapter = adapter_of(data, rule);
    if (!adapter || (rule.as_it_was && !is_of(data.at("model"), rule.model)))
      return ReplayedAnswer{.outcome = ReplayOutcome::kOtherModel};
    if (frames.empty() || std::ranges::any_of(frames, &Image::empty))
      return ReplayedAnswer{.outcome = ReplayOutcome::kFramesGone};
    ReplayQuestion question{.request = request_of(event, data, frames), .then = data};
    question.request.adapter = *adapter;
    return question;
  });
}

ReplayedAnswer replayed_answer(const ReplayQuestion& question, const Reply& reply, const EngineModel& model) {
  return reading_event([&] {
    const Json& then = question.then;
    const AnswerRecord record = record_of_answer(then.at("task").get<std::string>(), question.request, reply,
                                                 model, {.type = type_of_answer(then)});
    Json now = to_json(record.answer);
    return ReplayedAnswer{
        .outcome = compared(then, now), .p_moved = p_moved(then, now), .now = std::move(now)};
  });
}

std::optional<ReplayedAnswer> replay_answer(const Json& event, const std::vector<Image>& frames,
                                            const ReplayModel& asked, const std::stop_token& stop) {
  auto prepared = replay_question(
      event, frames,
      {.model = asked.model.identity(), .adapters = asked.adapters, .as_it_was = asked.as_it_was});
  if (auto* const outcome = std::get_if<ReplayedAnswer>(&prepared)) return std::move(*outcome);
  const auto& question = std::get<ReplayQuestion>(prepared);
  const auto reply = ask_once(asked.model, question.request, stop);
  if (!reply) return std::nullopt;
  return replayed_answer(question, *reply, asked.model);
}

}  // namespace palisade
