#include "service/engine.h"

#include <condition_variable>
#include <exception>
#include <mutex>

namespace palisade {

using std::chrono::steady_clock;

struct Engine::Done {
  std::mutex mutex;
  std::condition_variable wake;
  bool is_done = false;  // guarded by mutex
};

Engine::Engine(EngineModel& model, RequestQueue& queue)
    : model_(model),
      queue_(queue),
      done_(std::make_shared<Done>()),
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
  while (const std::optional<Request> request = queue_.pop()) {
    if (stop.stop_requested()) return;
    try {
      serve(*request, stop);
    } catch (const ModelStopped&) {
      return;
    }
  }
}

void Engine::serve(const Request& request, const std::stop_token& stop) {
  Reply reply;
  const auto begin = steady_clock::now();
  reply.timing.wait = begin - request.queued;
  std::vector<ImageFeatures> features;
  try {
    std::vector<Image> images;
    for (const Frame& frame : request.clip.frames) images.push_back(frame.image);
    features =
        cache_.features_of(images, [&](std::span<const Image> fresh) { return model_.encode(fresh, stop); });
  } catch (const std::exception& error) {
    reply.error = error.what();
  }
  reply.timing.encode = steady_clock::now() - begin;
  for (std::size_t i = 0; i < request.prompts.size(); ++i) {
    reply.prompt_index = i;
    if (!features.empty()) ask(request, i, features, reply, stop);
    if (request.tell) request.tell(request, reply);
  }
}

void Engine::ask(const Request& request, std::size_t prompt_index, std::span<const ImageFeatures> features,
                 Reply& reply, const std::stop_token& stop) {
  const auto begin = steady_clock::now();
  // What came before this prompt's turn was waiting for it: the other prompts of the same clip.
  reply.timing.wait = begin - request.queued - reply.timing.encode;
  reply.timing.prefill = reply.timing.decode = {};
  reply.error.clear();
  const DecodingOptions options{
      .max_new_tokens = request.max_new_tokens,
      .method = request.method,
      .deadline = begin + request.deadline,
      .cancelled = [&] { return stop.stop_requested() || (request.cancelled && request.cancelled()); }};
  try {
    reply.answer = model_.answer(features, request.prompts[prompt_index], options, reply.timing, stop);
  } catch (const std::exception& error) {
    reply.answer = {};
    reply.error = error.what();
  }
}

}  // namespace palisade
