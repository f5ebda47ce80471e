#include "service/engine/engine.h"

#include <algorithm>
#include <exception>
#include <set>
#include <utility>
#include <variant>

#include "base/error.h"
#include "base/format.h"
#include "model/paligemma/likeness.h"
#include "service/engine/engine_work.h"

namespace palisade {
using std::chrono::steady_clock;
namespace {

std::string megabytes(std::size_t bytes) {
  return format("{} MB", (bytes + (1 << 20) - 1) >> 20);
}

}  // namespace

Engine::Engine(EngineModel& model, RequestQueue& queue, const EngineLimits& limits)
    : model_(model),
      queue_(queue),
      limits_(limits),
      done_(std::make_shared<Completion>()),
      thread_([this](const std::stop_token& stop) {
        run(stop);
        {
          const std::lock_guard lock(done_->mutex);
          done_->is_done = true;
        }
        done_->wake.notify_all();
      }) {}

Engine::~Engine() {
  request_stop();
  join();  // before members that the thread uses are destroyed
}

void Engine::request_stop() {
  thread_.request_stop();
  queue_.abandon();
}

void Engine::join() {
  if (thread_.joinable()) thread_.join();
}

bool Engine::join_until(MonotonicTime time) {
  std::unique_lock lock(done_->mutex);
  return done_->wake.wait_until(lock, time, [this] { return done_->is_done; });
}

void Engine::run(const std::stop_token& stop) {
  while (admit() && !stop.stop_requested()) {
    const MeteredWork work(limits_.meter);
    drop_cancelled();
    advance_for_a_slice(stop);
    if (stop.stop_requested()) return;
    step();
  }
}

// People before cameras, then in order of arrival.
Engine::AnswerInProgress* Engine::next_to_prefill(bool with_room_alone) {
  AnswerInProgress* next = nullptr;
  for (const auto& answer : answers_) {
    if (answer->reply || answer->prefilled || (with_room_alone && answer->kv_bytes == 0)) continue;
    if (!next || (answer->admitted->request.person && !next->admitted->request.person)) next = answer.get();
  }
  return next;
}

// Reserves memory for keys and values. False while there is none.
bool Engine::find_room(AnswerInProgress& answer) {
  if (answer.kv_bytes > 0) return true;
  const Request& request = answer.admitted->request;
  if (!answer.job) {
    answer.deadline = steady_clock::now() + request.deadline;
    answer.job = model_.answer(answer.admitted->features, request.prompts[answer.prompt_index],
                               {.max_new_tokens = request.max_new_tokens,
                                .top_tokens = request.top_tokens,
                                .location_spread = request.location_spread,
                                .method = request.method,
                                .deadline = answer.deadline,
                                .cancelled = request.cancelled},
                               request.prune, request.adapter);
  }
  const std::size_t bytes = answer.job->kv_bytes();
  if (bytes > limits_.kv_cache_bytes) {
    throw std::runtime_error("its keys and values need " + megabytes(bytes) + ", the engine has " +
                             megabytes(limits_.kv_cache_bytes) + " for them; use fewer images or new tokens");
  }
  if (kv_bytes_ + bytes > limits_.kv_cache_bytes) return false;
  answer.begun = steady_clock::now();
  if (request.progress)
    request.progress({.prompt_index = answer.prompt_index, .stage = AnswerStage::kPrefill});
  answer.kv_bytes = bytes;
  kv_bytes_ += bytes;
  return true;
}

void Engine::advance_prefill(AnswerInProgress& answer, MonotonicTime::duration time) {
  try {
    if (is_cancelled(answer.admitted->request) || steady_clock::now() >= answer.deadline)
      return finish(answer);
    if (answer.job->prefill(time)) return;
  } catch (const std::exception& exception) {
    return finish(answer, exception.what());
  }
  answer.prefilled = true;
  answer.prefilled_at = steady_clock::now();
  tell_text(answer);
  if (answer.job->done()) finish(answer);
}

// An incomplete UTF-8 character is held back.
void Engine::tell_text(AnswerInProgress& answer) {
  const Request& request = answer.admitted->request;
  if (!request.progress || !is_token_by_token(request.method)) return;
  constexpr std::string_view kUnfinished = "\uFFFD";
  try {
    std::string text = answer.job->text();
    if (text.ends_with(kUnfinished) && !answer.job->done()) text.resize(text.size() - kUnfinished.size());
    if (text.size() <= answer.text_told) return;
    request.progress({.prompt_index = answer.prompt_index,
                      .stage = AnswerStage::kDecoding,
                      .text = std::string_view(text).substr(std::exchange(answer.text_told, text.size()))});
  } catch (const Error&) {
    // A failed job reports it by answer().
  }
}

// Does one piece of encoding or prefill of about `time`; false without any.
bool Engine::advance(MonotonicTime::duration time) {
  AnswerInProgress* answer = next_to_prefill();
  if (!encodings_.empty()) {
    const bool person = encodings_.front().admitted.front()->request.person;
    // A prefill leads to an answer sooner than encoding, except that people come before cameras.
    if (!answer || (person && !answer->admitted->request.person)) {
      advance_encoding(time);
      return true;
    }
  }
  if (!answer) return false;
  try {
    // Without room for a new one, a prefill that has begun goes on, because its end frees memory.
    if (!find_room(*answer)) answer = next_to_prefill(true);
    if (!answer) return false;
  } catch (const std::exception& exception) {
    finish(*answer, exception.what());
    return true;
  }
  advance_prefill(*answer, time);
  return true;
}

void Engine::advance_for_a_slice(const std::stop_token& stop) {
  const auto end = steady_clock::now() + limits_.slice;
  auto left = MonotonicTime::duration(limits_.slice);
  bool more = true;
  do {
    more = advance(left);
    tell_finished();
    left = end - steady_clock::now();
  } while (more && left.count() > 0 && !stop.stop_requested());
}

void Engine::step() {
  std::vector<AnswerJob*> jobs;
  for (const auto& answer : answers_) {
    if (answer->prefilled && !answer->reply) jobs.push_back(answer->job.get());
  }
  if (jobs.empty()) return;
  std::string error;
  try {
    model_.step(jobs);
  } catch (const std::exception& exception) {
    error = exception.what();
  }
  for (const auto& answer : answers_) {
    if (!answer->prefilled || answer->reply) continue;
    if (error.empty()) tell_text(*answer);
    if (!error.empty() || answer->job->done()) finish(*answer, error);
  }
  tell_finished();
}

void Engine::finish(AnswerInProgress& answer, std::string error) {
  const AdmittedRequest& admitted = *answer.admitted;
  const auto now = steady_clock::now();
  Reply reply{.prompt_index = answer.prompt_index, .error = std::move(error)};
  reply.images_encoded = answer.prompt_index == 0 ? admitted.images_encoded : 0;
  if (answer.job) reply.image_tokens = answer.job->image_tokens();
  reply.timing = {.wait = admitted.taken - admitted.request.queued + (answer.begun - admitted.encoded),
                  .encode = admitted.encoded - admitted.taken,
                  .prefill = answer.prefilled ? answer.prefilled_at - answer.begun : now - answer.begun,
                  .decode = answer.prefilled ? now - answer.prefilled_at : steady_clock::duration{}};
  reply.unchanged = reply.error.empty() && admitted.unchanged;
  if (admitted.request.likeness && reply.error.empty() && !admitted.features.empty())
    reply.likeness = pooled_features(*admitted.features.back());
  if (reply.error.empty() && !reply.unchanged) {
    try {
      const auto interrupted =
          is_cancelled(admitted.request) ? FinishReason::kCancelled : FinishReason::kDeadline;
      reply.answer = answer.prefilled ? answer.job->answer() : Answer{.finish_reason = interrupted};
    } catch (const std::exception& exception) {
      reply.error = exception.what();
    }
  }
  answer.job.reset();
  kv_bytes_ -= std::exchange(answer.kv_bytes, 0);
  if (limits_.meter) limits_.meter->answered(admitted.request, reply, now);
  answer.reply = std::move(reply);
}

// Delivers finished answers. Answers of one series are delivered in the order of their clips.
void Engine::tell_finished() {
  std::set<std::string> behind;  // series with an earlier clip that is unfinished
  for (auto answer = answers_.begin(); answer != answers_.end();) {
    const Request& request = (*answer)->admitted->request;
    const std::string series =
        request.series.empty() ? "" : format("{} {}", request.series, (*answer)->prompt_index);
    if (!(*answer)->reply || behind.contains(series)) {
      if (!series.empty()) behind.insert(series);
      ++answer;
      continue;
    }
    const std::unique_ptr<AnswerInProgress> told = std::move(*answer);
    answer = answers_.erase(answer);
    if (request.tell) request.tell(request, *told->reply);
  }
}

}  // namespace palisade
