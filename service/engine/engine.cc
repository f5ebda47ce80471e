#include "service/engine/engine.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <set>
#include <utility>
#include <variant>

#include "base/error.h"
#include "base/format.h"
#include "model/paligemma/likeness.h"

namespace palisade {
using std::chrono::steady_clock;
namespace {

std::vector<Image> images_of(const Clip& clip) {
  std::vector<Image> images;
  for (const Frame& frame : clip.frames) images.push_back(frame.image);
  return images;
}

bool cancelled(const Request& request) {
  return request.cancelled && request.cancelled();
}

void tell_stage(const Request& request, AnswerStage stage) {
  if (!request.progress) return;
  for (std::size_t prompt = 0; prompt < request.prompts.size(); ++prompt)
    request.progress({.prompt_index = prompt, .stage = stage});
}

std::string megabytes(std::size_t bytes) {
  return format("{} MB", (bytes + (1 << 20) - 1) >> 20);
}

}  // namespace

struct Engine::Completion {
  std::mutex mutex;
  std::condition_variable wake;
  bool is_done = false;  // guarded by mutex
};

// A request taken from the queue; shared by the answers to its prompts.
struct Engine::AdmittedRequest {
  Request request;
  std::vector<Image> images;
  std::vector<ImageFeatures> features;
  int images_encoded = 0;
  bool unchanged = false;
  MonotonicTime taken;
  MonotonicTime encoded;
};

// New images of one or several requests while they are encoded.
struct Engine::Encoding {
  std::vector<std::shared_ptr<AdmittedRequest>> admitted;  // of one image_adapter()
  std::vector<Image> images;                               // new images, once begun
  std::unique_ptr<EncodeJob> job;                          // null without new images
  bool begun = false;

  const SharedAdapter& adapter() const { return admitted.front()->request.adapter; }
};

// The answer to one prompt, from encoded images to the reply.
struct Engine::AnswerInProgress {
  std::shared_ptr<AdmittedRequest> admitted;
  std::size_t prompt_index = 0;
  std::unique_ptr<AnswerJob> job;  // set when its prefill begins
  MonotonicTime deadline;          // likewise
  std::size_t kv_bytes = 0;        // 0 while it waits for room
  bool prefilled = false;
  std::optional<Reply> reply;  // complete, but not delivered yet
  std::size_t text_told = 0;   // bytes of its text already passed to `progress`
  MonotonicTime begun;
  MonotonicTime prefilled_at;
};

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
    advance_for_a_slice(stop);
    if (stop.stop_requested()) return;
    step();
  }
}

// Takes requests from the queue. Waits only when there is no other work; false when the queue has ended.
bool Engine::admit() {
  std::vector<std::shared_ptr<AdmittedRequest>> cameras;
  const auto take = [&](Request request) {
    auto admitted = std::make_shared<AdmittedRequest>();
    admitted->images = images_of(request.clip);
    admitted->taken = steady_clock::now();
    const bool person = request.person;
    admitted->request = std::move(request);
    tell_stage(admitted->request, AnswerStage::kQueued);
    if (person) {
      encode_together({std::move(admitted)});
    } else {
      cameras.push_back(std::move(admitted));
    }
  };
  if (!busy()) {
    std::optional<Request> request = queue_.pop();
    if (!request) return false;
    take(*std::move(request));
  }
  const auto waiting = [&] { return !encodings_.empty() || next_to_prefill() != nullptr; };
  while (answers_.size() + cameras.size() < limits_.answers) {
    const bool people_alone = cameras.size() >= limits_.together || (cameras.empty() && waiting());
    std::optional<Request> request = queue_.try_pop(people_alone);
    if (!request) break;
    take(*std::move(request));
  }
  while (!cameras.empty()) {
    const Adapter* const first = image_adapter(cameras.front()->request.adapter);
    const auto rest = std::ranges::stable_partition(
        cameras, [&](const auto& admitted) { return image_adapter(admitted->request.adapter) == first; });
    encode_together({cameras.begin(), rest.begin()});
    cameras.erase(cameras.begin(), rest.begin());
  }
  return true;
}

void Engine::encode_together(std::vector<std::shared_ptr<AdmittedRequest>> admitted) {
  const bool person = admitted.front()->request.person;
  const auto camera = [](const Encoding& waiting) { return !waiting.admitted.front()->request.person; };
  encodings_.insert(person ? std::ranges::find_if(encodings_, camera) : encodings_.end(),
                    Encoding{.admitted = std::move(admitted)});
}

// Finds the images that are not encoded yet.
void Engine::begin_encoding(Encoding& encoding) {
  std::vector<Image> all;
  for (const auto& one : encoding.admitted) {
    tell_stage(one->request, AnswerStage::kEncoding);
    all.insert(all.end(), one->images.begin(), one->images.end());
    const std::size_t before = encoding.images.size();
    encoding.images = cache_.unknown(all, encoding.adapter());
    one->images_encoded = int(encoding.images.size() - before);
  }
  if (!encoding.images.empty()) encoding.job = model_.encode(encoding.images, encoding.adapter());
  encoding.begun = true;
}

void Engine::advance_encoding(MonotonicTime::duration time) {
  Encoding& encoding = encodings_.front();
  std::string error;
  bool wanted = false;
  for (const auto& admitted : encoding.admitted) wanted = wanted || !cancelled(admitted->request);
  try {
    if (wanted) {
      if (!encoding.begun) begin_encoding(encoding);
      if (encoding.job) {
        if (encoding.job->advance(time)) return;
        std::vector<ImageFeatures> features = encoding.job->features();
        for (std::size_t i = 0; i < encoding.images.size(); ++i) {
          cache_.store(encoding.images[i], encoding.adapter(), std::move(features.at(i)));
        }
      }
      for (const auto& admitted : encoding.admitted)
        admitted->features = cache_.features_of(admitted->images, encoding.adapter());
    }
  } catch (const std::exception& exception) {
    error = exception.what();
  }
  const Encoding done = std::move(encodings_.front());
  encodings_.pop_front();
  for (const auto& admitted : done.admitted) {
    admitted->encoded = steady_clock::now();
    const auto& unchanged = admitted->request.unchanged;
    admitted->unchanged =
        wanted && error.empty() && unchanged && unchanged(admitted->request.clip, admitted->features);
    for (std::size_t i = 0; i < admitted->request.prompts.size(); ++i) {
      auto answer =
          std::make_unique<AnswerInProgress>(AnswerInProgress{.admitted = admitted, .prompt_index = i});
      answer->begun = answer->prefilled_at = admitted->encoded;
      if (!error.empty()) {
        finish(*answer, error);
      } else if (!wanted || admitted->unchanged) {
        finish(*answer);
      }
      answers_.push_back(std::move(answer));
    }
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
    if (cancelled(answer.admitted->request) || steady_clock::now() >= answer.deadline) return finish(answer);
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
          cancelled(admitted.request) ? FinishReason::kCancelled : FinishReason::kDeadline;
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
