#include "service/served_stream.h"

#include <algorithm>
#include <utility>

#include "service/sha256.h"
#include "tasks/state_event.h"

namespace palisade {

using std::chrono::steady_clock;

ServedStream::ServedStream(StreamSettings settings, Surroundings surroundings)
    : settings_(std::move(settings)), around_(std::move(surroundings)) {
  for (std::size_t index = 0; index < settings_.tasks.size(); ++index) {
    const TaskSettings& task = settings_.tasks[index];
    auto series = std::ranges::find(series_, task.sampling, &Series::sampling);
    if (series == series_.end()) {
      series = series_.insert(series_.end(), Series{.sampling = task.sampling});
      const GateSettings& gate = settings_.gate;
      if (gate.motion || gate.semantic) series->gate = std::make_unique<ClipGate>(gate);
    }
    series->tasks.push_back(index);
    series->prompts.push_back(task.task->prompt(task.wording));
  }
}

void ServedStream::start(Feed::Open open) {
  FeedOptions options{.stream = settings_.name,
                      .source = settings_.source,
                      .image_size = around_.model.image_size(),
                      .resize = around_.model.identity().resize,
                      .masks = settings_.masks,
                      .watch_motion = settings_.gate.motion,
                      .region = settings_.gate.region,
                      .pace = settings_.pace,
                      .loop = settings_.loop};
  for (const Series& series : series_) options.samplings.push_back(series.sampling);
  around_.queue.set_weight(settings_.name, settings_.priority);
  auto feed = std::make_unique<Feed>(
      std::move(options), [this](Clip clip, std::size_t series) { on_clip(std::move(clip), series); },
      [this](const FeedReport& report) { on_report(report); }, std::move(open));
  const std::lock_guard lock(mutex_);
  feed_ = std::move(feed);
}

void ServedStream::request_stop() {
  stopping_ = true;
  const std::lock_guard lock(mutex_);
  if (feed_) feed_->request_stop();
}

void ServedStream::end() {
  std::unique_ptr<Feed> ending;  // outlives the lock: its end may take a while
  const std::lock_guard lock(mutex_);
  if (feed_) frames_ = feed_->frames_seen();
  ending = std::move(feed_);
}

StreamCounts ServedStream::counts() const {
  const std::lock_guard lock(mutex_);
  return {.frames = feed_ ? feed_->frames_seen() : frames_,
          .answered = answered_,
          .dropped = dropped_,
          .failed = failed_,
          .images_encoded = images_encoded_,
          .skipped = skipped_,
          .unchanged = unchanged_};
}

void ServedStream::on_clip(Clip clip, std::size_t index) {
  Series& series = series_[index];
  ClipGate* const gate = series.gate.get();
  if (gate && !gate->passes(clip)) {
    ++series.skipped;
    ++skipped_;
    // What was wanted is no warning: a street is quiet for hours.
    if (const auto count = skips_.count(1, steady_clock::now())) {
      log_line(LogLevel::kDebug,
               settings_.name + ": skipped " + std::to_string(*count) + " clips, nothing moves");
    }
    return;
  }
  const auto passed = std::make_shared<Passed>(Passed{.series = index, .skipped = series.skipped});
  Request request{
      .clip = std::move(clip),
      .prompts = series.prompts,
      .max_new_tokens = around_.engine.max_new_tokens,
      .deadline = around_.engine.deadline,
      .cancelled = [self = shared_from_this()] { return self->stopping_.load(); },
      .tell = [self = shared_from_this(), passed](
                  const Request& served, const Reply& reply) { self->on_reply(*passed, served, reply); }};
  if (settings_.gate.semantic) {
    request.unchanged = [gate, passed](const Clip& seen, std::span<const ImageFeatures> features) {
      const ClipGate::Verdict verdict = gate->compare(seen, features);
      passed->similarity = verdict.similarity;
      return verdict.unchanged;
    };
  }
  const std::uint64_t dropped = around_.queue.push(settings_.name, int(index), std::move(request));
  dropped_ += dropped;
  if (const auto count = drops_.count(dropped, steady_clock::now())) {
    log_warning(settings_.name + ": dropped " + std::to_string(*count) +
                " clips, the model does not keep up; raise 'every' or use fewer tasks");
  }
}

void ServedStream::on_report(const FeedReport& report) {
  const std::string state(name_of(report.state));
  const std::string reason = redacted(report.reason);
  // One line a change: a camera that stays away is not told again at every attempt.
  if (const std::string line = state + (reason.empty() ? "" : ": " + reason);
      std::exchange(last_state_, line) != line) {
    log_info(settings_.name + ": " + line);
  }
  around_.publisher.publish({.kind = EventKind::kState,
                             .topic = state_topic(settings_.name),
                             .source = stream_source(around_.node, settings_.name),
                             .subject = settings_.name,
                             .time = report.since,
                             .data = to_json(StateEvent{.state = state,
                                                        .reason = reason,
                                                        .since = report.since,
                                                        .attempt = report.attempt,
                                                        .next_try_in = report.next_try_in,
                                                        .width = report.width,
                                                        .height = report.height})});
  if (report.state == FeedState::kUnreadable) unreadable_ = true;
  if (report.state != FeedState::kEnded) return;
  ended_ = true;
  around_.ended();
}

void ServedStream::on_reply(const Passed& passed, const Request& request, const Reply& reply) {
  if (stopping_) return;
  images_encoded_ += std::uint64_t(reply.images_encoded);
  const std::size_t index = series_[passed.series].tasks[reply.prompt_index];
  const TaskSettings& task = settings_.tasks[index];
  // What the clip was compared with may have failed in the meantime.
  const bool holds_nothing = reply.unchanged && !told_.contains(index);
  if (!reply.error.empty() || holds_nothing) return on_failure(passed, request, reply);
  // Cut off by the service's own end: half an answer is none.
  if (!reply.unchanged && reply.answer.finish_reason == FinishReason::kCancelled) return;
  AnswerEvent answer = answer_of(index, passed, request, reply);
  if (reply.unchanged) {
    ++unchanged_;
    answer.text = told_[index].text;
    answer.unchanged_since = told_[index].time;
    answer.window.tokens_kept = 0;
  } else {
    ++answered_;
    task.task->read(reply.answer, answer);
    told_[index] = {.time = request.clip.frames.back().stamp.wall, .text = answer.text};
  }
  publish(task, request.clip, answer);
}

void ServedStream::on_failure(const Passed& passed, const Request& request, const Reply& reply) {
  const std::size_t index = series_[passed.series].tasks[reply.prompt_index];
  ++failed_;
  failed_before_[index] += 1 + request.dropped_before;
  told_.erase(index);
  if (series_[passed.series].gate) series_[passed.series].gate->forget();
  if (reply.error.empty()) return;
  if (const auto count = failures_.count(1, steady_clock::now())) {
    log_error(settings_.name + ": " + std::to_string(*count) + " answers failed: " + reply.error);
  }
}

AnswerEvent ServedStream::answer_of(std::size_t task, const Passed& passed, const Request& request,
                                    const Reply& reply) {
  const Clip& clip = request.clip;
  AnswerEvent answer{.task = std::string(settings_.tasks[task].task->name),
                     .prompt = request.prompts[reply.prompt_index],
                     .frames = frames_of(clip, [](const Image& image) { return sha256_hex(image.bytes()); }),
                     .window = window_of(clip, around_.model.image_tokens(), reply.images_encoded),
                     .model = around_.model.identity(),
                     .dropped_before = request.dropped_before + std::exchange(failed_before_[task], 0),
                     .timing = reply.timing};
  answer.window.similarity = passed.similarity;
  if (settings_.gate.motion) {
    answer.skipped_before = passed.skipped - std::exchange(skipped_told_[task], passed.skipped);
  }
  return answer;
}

void ServedStream::publish(const TaskSettings& task, const Clip& clip, const AnswerEvent& answer) {
  around_.publisher.publish({.kind = EventKind::kAnswer,
                             .topic = answer_topic(settings_.name, task.name),
                             .source = stream_source(around_.node, settings_.name),
                             .subject = settings_.name,
                             .time = clip.frames.back().stamp.wall,
                             .data = to_json(answer)});
}

}  // namespace palisade
