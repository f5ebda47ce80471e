#include "service/http/question.h"

#include <atomic>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "base/format.h"
#include "base/sha256.h"
#include "ingest/pictures/picture.h"
#include "service/asking/batch.h"
#include "service/http/base64.h"
#include "tasks/certainty/calibrated_answer.h"

namespace palisade {
namespace {

double mean_p(const std::vector<double>& logprobs) {
  double sum = 0;
  for (const double logprob : logprobs) sum += std::exp(logprob);
  return logprobs.empty() ? 0 : sum / double(logprobs.size());
}

HttpAnswer answer_of(HttpApi& api, const std::string& task, const AnswerType& type, const Request& request,
                     const Reply& reply) {
  AnswerRecord record = record_of_answer(task, request, reply, api.backend.model(),
                                         {.pictures = true, .masks = api.backend.masks(), .type = type});
  record.answer.frames =
      frames_of(request.clip, [](const Image& image) { return sha256_hex(image.bytes()); });
  if (api.backend.certainty() != nullptr) calibrate(record.answer, *api.backend.certainty());
  HttpAnswer made{.answer = reply.answer,
                  .image_tokens = reply.image_tokens,
                  .mean_token_p = mean_p(reply.answer.token_logprobs),
                  .data = {}};
  if (api.backend.redaction() != nullptr) redact(record.answer, *api.backend.redaction());
  if (!record.answer.redacted.empty()) {
    made.answer.text = record.answer.text;
    made.answer.token_logprobs.clear();
    made.answer.top_tokens.clear();
  }
  made.data = to_json(record.answer);
  return made;
}

// The model's square of a picture that somebody has sent.
template <class Decode>
Frame frame_of(Decode&& decode, const EngineModel& model) {
  try {
    Frame frame{.image = decode()};
    frame.source_width = frame.image.width();
    frame.source_height = frame.image.height();
    frame.stamp.wall = wall_now();
    return fitted(std::move(frame), "upload", model);
  } catch (const PictureError& error) {
    throw UsageError(error.what());
  }
}

}  // namespace

bool ask_engine(HttpApi& api, const std::shared_ptr<HttpExchange>& exchange, Request request,
                std::function<void(const Request&, const Reply&)> tell) {
  if (exchange->gone()) {
    api.metrics.cancelled();
    return false;
  }
  request.cancelled = [exchange] { return exchange->gone(); };
  request.tell = [&api, exchange, tell = std::move(tell)](const Request& asked, const Reply& reply) {
    if (exchange->gone()) return api.metrics.cancelled();
    if (!reply.error.empty())
      return exchange->fail({.status = 400, .message = reply.error, .code = "cannot_be_answered"});
    api.metrics.answered(reply.timing, reply.answer.token_ids.size());
    // Hashing and JSON are not the engine's work.
    exchange->work([tell, asked, reply] { tell(asked, reply); });
  };
  if (api.backend.ask(std::move(request))) return true;
  HttpResponse busy = error_response({.status = 429,
                                      .message = "too many questions wait for the model; try again",
                                      .code = "too_many_wait"});
  busy.headers.emplace_back("Retry-After", "5");
  exchange->respond(std::move(busy));
  return false;
}

bool ask(HttpApi& api, const std::shared_ptr<HttpExchange>& exchange, HttpQuestion question,
         std::function<void(HttpAnswer)> tell) {
  Request request{.clip = std::move(question.clip),
                  .prompts = {std::move(question.prompt)},
                  .max_new_tokens = question.max_new_tokens,
                  .method = std::move(question.method),
                  .top_tokens = question.top_tokens,
                  .adapter = std::move(question.adapter),
                  // What is to be replaced can only be told from the whole text.
                  .progress = api.backend.redaction() != nullptr ? nullptr : std::move(question.progress)};
  return ask_engine(
      api, exchange, std::move(request),
      [&api, task = std::move(question.task), type = std::move(question.type), tell = std::move(tell)](
          const Request& asked, const Reply& reply) { tell(answer_of(api, task, type, asked, reply)); });
}

Frame frame_of_text(std::string_view text, const EngineModel& model) {
  constexpr std::string_view kData = "data:";
  if (text.starts_with("http://") || text.starts_with("https://"))
    throw UsageError("pictures are not fetched from addresses; send them as data:image/jpeg;base64,...");
  if (text.starts_with(kData)) {
    const std::size_t comma = text.find(',');
    if (comma == std::string_view::npos || !text.substr(0, comma).ends_with(";base64"))
      throw UsageError("a picture's data URL is data:image/jpeg;base64,...");
    text.remove_prefix(comma + 1);
  }
  const auto bytes = bytes_of_base64(text);
  if (!bytes) throw UsageError("a picture is not base64");
  return frame_of([&] { return decode_picture(std::as_bytes(std::span(*bytes))); }, model);
}

Frame frame_of_file(const std::filesystem::path& file, const EngineModel& model) {
  return frame_of([&] { return read_picture(file); }, model);
}

std::vector<Frame> thinned(std::vector<Frame> frames, std::size_t most) {
  if (frames.size() <= most) return frames;
  std::vector<Frame> kept;
  for (std::size_t i = 0; i < most; ++i)
    kept.push_back(frames[(i * (frames.size() - 1) + (most - 1) / 2) / (most - 1)]);
  return kept;
}

SharedAdapter adapter_named(const HttpApi& api, const std::string& name) {
  std::string known;
  for (const SharedAdapter& adapter : api.backend.adapters()) {
    if (adapter->identity.id == name || adapter->identity.sha256 == name) return adapter;
    known += (known.empty() ? "" : ", ") + adapter->identity.id;
  }
  throw HttpFault({.status = 404,
                   .message = known.empty()
                                  ? "no task of this service's configuration has an adapter"
                                  : format("there is no adapter '{}'; those of the configuration are {}",
                                           name.substr(0, 64), known),
                   .code = "not_found",
                   .param = "adapter"});
}

Json body_of(const HttpRequest& request) {
  Json json;
  try {
    json = parse_json(request.body, "the body");
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
  if (!json.is_object()) throw UsageError("the body is not a JSON object");
  return json;
}

}  // namespace palisade
