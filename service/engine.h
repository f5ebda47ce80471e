#pragma once

#include <memory>
#include <stop_token>
#include <thread>

#include "service/engine_model.h"
#include "service/feature_cache.h"
#include "service/request_queue.h"

namespace palisade {

// The one thread that touches the model: takes requests in turn, encodes their new images, asks every prompt
// and tells. A request that fails is told so and harms no other. It knows nothing of who asks.
class Engine {
 public:
  // Both outlive the engine.
  Engine(EngineModel& model, RequestQueue& queue);
  ~Engine();  // stops and joins

  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Abandons the queue and what is being answered; returns at once.
  void request_stop();
  // Until the queue is closed and everything in it is answered.
  void join();
  // As join, but gives up: false when the model is still at work then.
  bool join_until(MonotonicTime time);

 private:
  struct Done;
  void run(const std::stop_token& stop);
  void serve(const Request& request, const std::stop_token& stop);
  void ask(const Request& request, std::size_t prompt_index, std::span<const ImageFeatures> features,
           Reply& reply, const std::stop_token& stop);

  EngineModel& model_;
  RequestQueue& queue_;
  FeatureCache cache_;
  std::shared_ptr<Done> done_;
  std::jthread thread_;
};

}  // namespace palisade
