#include "service/asking/batch.h"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>

#include "base/error.h"
#include "base/log.h"
#include "frames/sampler.h"
#include "ingest/apart.h"
#include "ingest/open_source.h"
#include "service/engine/answer_record.h"
#include "service/engine/engine.h"
#include "tasks/task.h"

namespace palisade {
namespace {

// Clips read ahead, enough to keep the model busy.
constexpr int kAhead = 4;

// Shared by the reading thread and the engine's.
struct Batch {
  const BatchOptions& options;
  const OnAnswer& on_answer;
  std::stop_token stop;
  RequestQueue queue;
  std::mutex mutex;
  std::condition_variable_any freed;
  int free_slots = kAhead;  // guarded by mutex
  std::optional<MediaTime> duration;
  std::uint64_t dropped = 0;  // used by the reading thread: not reported yet
  std::uint64_t lost =
      0;              // used by the reading thread: part of the sampler's discarded() that is in `dropped`
  std::string error;  // written by the engine's thread, read when that has ended

  // False without a free slot, or where the batch was stopped while waiting.
  bool take_slot(bool wait) {
    std::unique_lock lock(mutex);
    const auto is_free = [this] { return free_slots > 0; };
    if (wait ? !freed.wait(lock, stop, is_free) : !is_free()) return false;
    --free_slots;
    return true;
  }
  void free_slot() {
    {
      const std::lock_guard lock(mutex);
      ++free_slots;
    }
    freed.notify_one();
  }

  // `discarded`: the sampler's total.
  void count_lost(std::uint64_t discarded) { dropped += discarded - std::exchange(lost, discarded); }

  void push(Clip clip, bool live) {
    if (!take_slot(!live)) {
      ++dropped;
      return;
    }
    Request request{.clip = std::move(clip),
                    .prompts = {options.prompt},
                    .max_new_tokens = options.max_new_tokens,
                    .prune = options.prune,
                    .adapter = options.adapter,
                    .series = "batch",
                    .tell = [this](const Request& served, const Reply& reply) { told(served, reply); },
                    .dropped_before = std::exchange(dropped, 0)};
    queue.push_person(std::move(request));
  }

  void told(const Request& request, const Reply& reply) {
    if (!reply.error.empty() && error.empty()) error = reply.error;
    const bool whole = reply.error.empty() && reply.answer.finish_reason != FinishReason::kCancelled;
    if (whole) on_answer(request, reply, duration);
    free_slot();
  }
};

void read_to_end(Batch& batch, const EngineModel& model) {
  const std::unique_ptr<Source> source =
      open_apart(open_source, decoding_for({&batch.options.sampling, 1}, batch.options.source), batch.stop);
  batch.duration = source->duration();
  bool remarked = false;
  OncePerSecond telling;
  SkippedPictures skipped;
  const auto tell_skipped = [&](bool at_once) {
    skipped.add(source->take_skipped());
    if (skipped.pictures == 0 || !(telling.count(1, std::chrono::steady_clock::now()) || at_once)) return;
    log_warning(std::exchange(skipped, {}).text());
  };
  Sampler sampler(batch.options.sampling);
  const auto push = [&](Clip clip, bool live) {
    batch.count_lost(sampler.discarded());
    batch.push(std::move(clip), live);
  };
  const Wanted wanted = [&](const FrameStamp& stamp) {
    const bool wants = sampler.wants(stamp);
    if (std::optional<Clip> clip = sampler.take_ended()) push(*std::move(clip), source->live());
    return wants;
  };
  while (!batch.stop.stop_requested()) {
    std::optional<Frame> frame = source->next(wanted);
    tell_skipped(!frame);
    if (!frame) break;
    if (!std::exchange(remarked, true)) tell_remark(*source);
    for (Clip& clip : sampler.offer(fitted(*std::move(frame), batch.options.stream, model))) {
      push(std::move(clip), source->live());
    }
  }
  if (std::optional<Clip> clip = sampler.finish()) push(*std::move(clip), false);
  batch.count_lost(sampler.discarded());
}

}  // namespace

Frame fitted(Frame frame, const std::string& stream, const EngineModel& model) {
  const int side = model.image_size();
  if (frame.image.width() != side || frame.image.height() != side) {
    frame.image = resize(frame.image, side, side, model.identity().resize);
  }
  frame.stream = stream;
  return frame;
}

void tell_remark(const Source& source) {
  if (const std::string remark = source.remark(); !remark.empty()) log_warning(remark);
}

std::uint64_t run_batch(const BatchOptions& options, EngineModel& model, const OnAnswer& on_answer,
                        std::stop_token stop) {
  Batch batch{.options = options, .on_answer = on_answer, .stop = stop};
  Engine engine(model, batch.queue);
  const std::stop_callback stop_engine(stop, [&] { engine.request_stop(); });
  try {
    read_to_end(batch, model);
  } catch (const SourceError& error) {
    if (error.fault() != SourceFault::kInterrupted) {
      // Clips read before the source broke are still answered.
      batch.queue.close();
      engine.join();
      throw;
    }
  }
  batch.queue.close();
  engine.join();
  if (!batch.error.empty()) throw Error(batch.error);
  return batch.dropped;
}

std::optional<Reply> ask_once(EngineModel& model, Request request, std::stop_token stop) {
  RequestQueue queue;
  std::optional<Reply> reply;
  Engine engine(model, queue);
  const std::stop_callback stop_engine(stop, [&] { engine.request_stop(); });
  request.tell = [&](const Request&, const Reply& told) { reply = told; };
  queue.push_person(std::move(request));
  queue.close();
  engine.join();
  if (reply && !reply->error.empty()) throw Error(reply->error);
  if (reply && reply->answer.finish_reason == FinishReason::kCancelled) return std::nullopt;
  return reply;
}

AnswerRecord record_of_answer(const std::string& task, const Request& request, const Reply& reply,
                              const EngineModel& model, const RecordOptions& options) {
  AnswerRecord record = record_of(request, reply, model, latest(request.clip).stream, task);
  if (options.pictures) record.answer.window.policy.reset();
  const Task* const known = find_task(task);
  const Reading reading{
      .clip = request.clip, .locations = options.locations, .masks = options.masks, .type = &options.type};
  (known ? *known : all_tasks().front()).read(reply.answer, reading, record.answer);
  return record;
}

}  // namespace palisade
