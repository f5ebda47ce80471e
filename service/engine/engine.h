#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <stop_token>
#include <thread>
#include <vector>

#include "service/engine/answer_meter.h"
#include "service/engine/engine_model.h"
#include "service/engine/feature_cache.h"
#include "service/engine/request_queue.h"

namespace palisade {

struct EngineLimits {
  // Longest piece of encoding and prefill between two decoding steps.
  std::chrono::milliseconds slice{100};
  std::size_t kv_cache_bytes = std::size_t(4) << 30;  // for keys and values of all answers in progress
  std::size_t answers = 64;                           // in progress at once
  AnswerMeter* meter = nullptr;                       // is told of the work; outlives the engine; null: none
  // Requests of cameras whose new images are encoded as one batch. More would leave their lanes, where a
  // newer clip could still replace them.
  std::size_t together = 4;
};

// The thread that owns the model. Answers of cameras and people are stepped in one batch and join and leave
// at any token; between steps encoding and prefill go on in slices, people first. A failing request harms no
// other. What nobody waits for any more is dropped after each slice.
class Engine {
 public:
  // Both outlive the engine.
  Engine(EngineModel& model, RequestQueue& queue, const EngineLimits& limits = {});
  ~Engine();  // stops and joins

  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Abandons the queue and all answers in progress; returns at once.
  void request_stop();
  // Waits until the queue is closed and everything in it is answered.
  void join();
  // The same with a deadline: false where the thread still runs then.
  bool join_until(MonotonicTime time);

 private:
  struct Completion;
  struct AdmittedRequest;
  struct Encoding;
  struct AnswerInProgress;
  void run(const std::stop_token& stop);
  bool admit();
  void encode_together(std::vector<std::shared_ptr<AdmittedRequest>> admitted);
  void begin_encoding(Encoding& encoding);
  void advance_for_a_slice(const std::stop_token& stop);
  bool advance(MonotonicTime::duration time);
  static bool is_wanted(const Encoding& encoding);
  void advance_encoding(MonotonicTime::duration time);
  void begin_answers(const Encoding& done, bool wanted, const std::string& error);
  void drop_cancelled();
  AnswerInProgress* next_to_prefill(bool with_room_alone = false);
  bool find_room(AnswerInProgress& answer);
  void advance_prefill(AnswerInProgress& answer, MonotonicTime::duration time);
  void tell_text(AnswerInProgress& answer);
  void step();
  void finish(AnswerInProgress& answer, std::string error = {});
  void tell_finished();
  bool busy() const { return !encodings_.empty() || !answers_.empty(); }

  EngineModel& model_;
  RequestQueue& queue_;
  const EngineLimits limits_;
  FeatureCache cache_;
  std::deque<Encoding> encodings_;  // people first
  std::deque<std::unique_ptr<AnswerInProgress>> answers_;
  std::size_t kv_bytes_ = 0;
  std::shared_ptr<Completion> done_;
  std::jthread thread_;
};

}  // namespace palisade
