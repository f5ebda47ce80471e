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
    if (series == series_.end()) series = series_.insert(series_.end(), Series{.sampling = task.sampling});
    series->tasks.push_back(index);
    series->prompts.push_back(task.task->prompt(task.wording));
  }
}

void ServedStream::start(Feed::Open open) {
  FeedOptions options{.stream = settings_.name,
                      .source = settings_.source,
                      .image_size = around_.model.image_size(),
                      .resize = around_.model.identity().resize,
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
          .images_encoded = images_encoded_};
}

void ServedStream::on_clip(Clip clip, std::size_t series) {
  Request request{
      .clip = std::move(clip),
      .prompts = series_[series].prompts,
      .max_new_tokens = around_.engine.max_new_tokens,
      .deadline = around_.engine.deadline,
      .cancelled = [self = shared_from_this()] { return self->stopping_.load(); },
      .tell = [self = shared_from_this(), series](
                  const Request& served, const Reply& reply) { self->on_reply(series, served, reply); }};
  const std::uint64_t dropped = around_.queue.push(settings_.name, int(series), std::move(request));
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

void ServedStream::on_reply(std::size_t series, const Request& request, const Reply& reply) {
  if (stopping_) return;
  const std::size_t index = series_[series].tasks[reply.prompt_index];
  const TaskSettings& task = settings_.tasks[index];
  std::uint64_t& failed_before = failed_before_[index];
  images_encoded_ += std::uint64_t(reply.images_encoded);
  if (!reply.error.empty()) {
    ++failed_;
    failed_before += 1 + request.dropped_before;
    if (const auto count = failures_.count(1, steady_clock::now())) {
      log_error(settings_.name + ": " + std::to_string(*count) + " answers failed: " + reply.error);
    }
    return;
  }
  // Cut off by the service's own end: half an answer is none.
  if (reply.answer.finish_reason == FinishReason::kCancelled) return;
  ++answered_;
  publish_answer(task, request, reply, request.dropped_before + std::exchange(failed_before, 0));
}

void ServedStream::publish_answer(const TaskSettings& task, const Request& request, const Reply& reply,
                                  std::uint64_t lost) {
  const Clip& clip = request.clip;
  AnswerEvent answer{.task = std::string(task.task->name),
                     .prompt = request.prompts[reply.prompt_index],
                     .frames = frames_of(clip, [](const Image& image) { return sha256_hex(image.bytes()); }),
                     .window = window_of(clip, around_.model.image_tokens(), reply.images_encoded),
                     .model = around_.model.identity(),
                     .dropped_before = lost,
                     .timing = reply.timing};
  task.task->read(reply.answer, answer);
  around_.publisher.publish({.kind = EventKind::kAnswer,
                             .topic = answer_topic(settings_.name, task.name),
                             .source = stream_source(around_.node, settings_.name),
                             .subject = settings_.name,
                             .time = clip.frames.back().stamp.wall,
                             .data = to_json(answer)});
}

}  // namespace palisade
