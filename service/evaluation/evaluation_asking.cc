#include "service/evaluation/evaluation_asking.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>

#include "base/error.h"
#include "service/engine/engine.h"
#include "tasks/prompt.h"
#include "tasks/task.h"

namespace palisade {
namespace {

constexpr const char* kLane = "evaluation";
// Requests in the engine and before it, and lines whose pictures are read ahead, by answers of a batch.
constexpr std::size_t kAsked = 2, kReadAhead = 4;
constexpr std::chrono::hours kNoDeadline{24 * 365};

// A line on its way to its answer.
struct WaitingLine {
  EvaluationLine line;
  std::vector<EvaluationPictures::Frames> pictures;
  bool asked = false;
  int series = 0;                          // of its request
  std::optional<EvaluationAnswer> answer;  // guarded by Asker's mutex until it is there
};

class Asker {
 public:
  Asker(EvaluationLineReader& lines, EngineModel& model, const EvaluationAsking& asking,
        const std::stop_token& stop)
      : lines_(lines),
        asking_(asking),
        stop_(stop),
        pictures_(asking.view),
        most_asked_(kAsked * std::size_t(asking.batch)),
        engine_(model, queue_,
                {.answers = std::size_t(asking.batch), .together = std::size_t(asking.batch)}) {
    for (std::size_t i = 0; i < most_asked_; ++i) free_series_.push_back(int(i));
  }

  bool run(const OnEvaluated& on_evaluated) {
    const std::stop_callback stop_engine(stop_, [this] { engine_.request_stop(); });
    while (!stop_.stop_requested()) {
      read_ahead();
      if (waiting_.empty()) return true;
      ask_next();
      await();
      while (!waiting_.empty() && answered(*waiting_.front())) {
        on_evaluated(waiting_.front()->line, *waiting_.front()->answer);
        waiting_.pop_front();
      }
    }
    return false;
  }

 private:
  void read_ahead() {
    while (!ended_ && waiting_.size() < kReadAhead * std::size_t(asking_.batch)) {
      auto next = std::make_unique<WaitingLine>();
      ended_ = !lines_.next(next->line);
      if (ended_) return;
      next->pictures = pictures_.begin(next->line.line);
      waiting_.push_back(std::move(next));
    }
  }

  void ask_next() {
    for (const auto& waiting : waiting_) {
      if (waiting->asked) continue;
      if (free_series() == 0) return;
      waiting->asked = true;
      try {
        ask(*waiting);
      } catch (const std::exception& problem) {
        const std::lock_guard lock(mutex_);
        waiting->answer =
            EvaluationAnswer{.id = waiting->line.id, .finish_reason = "error", .error = problem.what()};
      }
      waiting->pictures.clear();
    }
  }

  // A series of its own for each, so that the queue drops none.
  void ask(WaitingLine& waiting) {
    const std::string& prompt = waiting.line.line.prefix;
    const Task* const task = find_task(task_of_prompt(prompt));
    const int usual = (task ? *task : all_tasks().front()).max_new_tokens;
    Request request{.clip = EvaluationPictures::clip_of(waiting.pictures),
                    .prompts = {prompt},
                    .max_new_tokens = asking_.max_new_tokens > 0 ? asking_.max_new_tokens : usual,
                    .method = asking_.method,
                    .adapter = asking_.adapter,
                    .deadline = kNoDeadline,
                    .tell = [this, &waiting](const Request&, const Reply& reply) { tell(waiting, reply); }};
    {
      const std::lock_guard lock(mutex_);
      waiting.series = free_series_.back();
      free_series_.pop_back();
    }
    queue_.push(kLane, waiting.series, std::move(request));
  }

  // On the engine's thread.
  void tell(WaitingLine& waiting, const Reply& reply) {
    EvaluationAnswer answer = evaluation_answer_of(waiting.line.id, reply);
    {
      const std::lock_guard lock(mutex_);
      if (reply.error.empty() && reply.answer.finish_reason == FinishReason::kCancelled) return;
      waiting.answer = std::move(answer);
      free_series_.push_back(waiting.series);
    }
    told_.notify_one();
  }

  // Until the first line is answered, or another one may be asked.
  void await() {
    std::unique_lock lock(mutex_);
    const bool more = std::ranges::any_of(waiting_, [](const auto& waiting) { return !waiting->asked; });
    told_.wait(lock, stop_,
               [&] { return waiting_.front()->answer.has_value() || (more && !free_series_.empty()); });
  }

  bool answered(const WaitingLine& waiting) {
    const std::lock_guard lock(mutex_);
    return waiting.answer.has_value();
  }
  std::size_t free_series() {
    const std::lock_guard lock(mutex_);
    return free_series_.size();
  }

  EvaluationLineReader& lines_;
  const EvaluationAsking& asking_;
  const std::stop_token& stop_;
  EvaluationPictures pictures_;
  const std::size_t most_asked_;
  bool ended_ = false;
  std::deque<std::unique_ptr<WaitingLine>> waiting_;  // in the order of the data
  std::mutex mutex_;
  std::condition_variable_any told_;
  std::vector<int> free_series_;  // guarded by mutex_
  RequestQueue queue_;
  Engine engine_;  // last: its thread uses all of the above
};

}  // namespace

bool ask_examples(EvaluationLineReader& lines, EngineModel& model, const EvaluationAsking& asking,
                  const OnEvaluated& on_evaluated, const std::stop_token& stop) {
  return Asker(lines, model, asking, stop).run(on_evaluated);
}

}  // namespace palisade
