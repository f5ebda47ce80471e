#include "service/streams/served_stream.h"

#include <algorithm>
#include <utility>

#include "base/format.h"
#include "ingest/feed_process.h"
#include "service/engine/answer_record.h"
#include "service/streams/stream_state.h"
#include "service/streams/task_groups.h"
#include "tasks/certainty/calibrated_answer.h"
#include "tasks/repeats.h"

namespace palisade {

using std::chrono::steady_clock;

ServedStream::ServedStream(StreamSettings settings, Surroundings surroundings)
    : settings_(std::move(settings)), around_(std::move(surroundings)) {
  for (const std::vector<std::size_t>& group : groups_of(settings_.tasks)) {
    const TaskSettings& first = settings_.tasks[group.front()];
    auto series = std::make_unique<ClipSeries>(first, settings_.gate, settings_.degrade);
    for (const std::size_t index : group) {
      const TaskSettings& task = settings_.tasks[index];
      series->add(index, task.task->prompt(task.wording));
    }
    adapters_.push_back(first.adapter.empty() ? nullptr : around_.model.load_adapter(first.adapter));
    series_.push_back(std::move(series));
  }
}

void ServedStream::start(Feed::Open open) {
  FeedOptions options{
      .stream = settings_.name,
      .source = settings_.source,
      .image_size = around_.model.image_size(),
      .resize = around_.model.identity().resize,
      .masks = settings_.masks,
      .make_views = around_.views || std::ranges::any_of(settings_.tasks,
                                                         [&](const TaskSettings& task) {
                                                           return storage_of(task) != FrameStorage::kOff;
                                                         }),
      .glimpses = around_.views,
      .watch_motion =
          std::ranges::any_of(series_, [](const auto& series) { return series->watches_motion(); }),
      .region = settings_.gate.region,
      .pace = settings_.pace,
      .loop = settings_.loop};
  for (std::size_t index = 0; index < series_.size(); ++index) {
    const TaskSettings& task = series_[index]->settings();
    options.samplings.push_back(task.sampling);
    if (task.against.stream.empty()) continue;
    around_.pairings.begin(
        pairing_of(settings_.name, task.name), task.against.gap,
        [weak = weak_from_this(), index](Clip pair) {
          if (const auto self = weak.lock()) self->on_pair(std::move(pair), index);
        },
        [weak = weak_from_this(), index](std::uint64_t count, const PairMiss& last) {
          if (const auto self = weak.lock()) self->on_miss(count, last, index);
        });
  }
  for (const Tap& tap : settings_.taps)
    options.samplings.push_back({.count = 1, .span = std::chrono::milliseconds(0), .stride = tap.every});
  around_.queue.set_weight(settings_.name, settings_.priority);
  auto on_clip_made = [this](Clip clip, std::size_t sampling) { on_clip(std::move(clip), sampling); };
  auto on_reported = [this](const FeedReport& report) { on_report(report); };
  if (settings_.paused) return pause();
  std::unique_ptr<ClipFeed> feed;
  if (settings_.process && !open) {
    feed = std::make_unique<FeedProcess>(
        std::move(options), std::move(on_clip_made), std::move(on_reported),
        FeedProcessOptions{.memory_bytes = std::size_t(settings_.process_memory_mb) << 20});
  } else {
    feed = std::make_unique<Feed>(std::move(options), std::move(on_clip_made), std::move(on_reported),
                                  open ? std::move(open) : open_source);
  }
  const std::lock_guard lock(mutex_);
  feed_ = std::move(feed);
}

void ServedStream::request_stop() {
  stopping_ = true;
  const std::lock_guard lock(mutex_);
  if (feed_) feed_->request_stop();
}

void ServedStream::end() {
  for (const auto& series : series_)
    around_.pairings.end(pairing_of(settings_.name, series->settings().name));
  std::unique_ptr<ClipFeed> ending;  // destroyed after the lock is released, because that waits for the feed
  const std::lock_guard lock(mutex_);
  if (feed_) frames_ = feed_->frames_seen();
  ending = std::move(feed_);
}

StateEvent ServedStream::state() const {
  const std::lock_guard lock(mutex_);
  return state_of(last_report_);
}

std::optional<NewestPicture> ServedStream::newest() const {
  const std::lock_guard lock(mutex_);
  if (feed_) feed_->watch();
  return pictures_.newest();
}

std::vector<Frame> ServedStream::recent(std::chrono::milliseconds span) const {
  const std::lock_guard lock(mutex_);
  return last_report_.state == FeedState::kOnline ? pictures_.last(span) : std::vector<Frame>();
}

StreamCounts ServedStream::counts() const {
  std::uint64_t skipped = 0, left_out = 0, lost = 0;
  for (const auto& series : series_) {
    skipped += series->skipped();
    left_out += series->left_out();
    lost += series->lost();
  }
  const std::lock_guard lock(mutex_);
  return {.frames = feed_ ? feed_->frames_seen() : frames_,
          .answered = answered_,
          .dropped = dropped_ + left_out,
          .failed = failed_,
          .images_encoded = images_encoded_,
          .skipped = skipped,
          .unchanged = unchanged_,
          .lost = lost};
}

ClipSeries* ServedStream::series_of(const std::string& task) {
  const auto found = std::ranges::find(settings_.tasks, task, &TaskSettings::name);
  if (found == settings_.tasks.end()) return nullptr;
  const auto index = std::size_t(found - settings_.tasks.begin());
  return std::ranges::find_if(series_,
                              [&](const auto& series) {
                                return std::ranges::find(series->tasks(), index) != series->tasks().end();
                              })
      ->get();
}

std::optional<std::string> ServedStream::ask_now(const std::string& task) {
  ClipSeries* const series = series_of(task);
  if (series == nullptr) return "stream '" + settings_.name + "' has no task '" + task + "'";
  series->demand();
  return std::nullopt;
}

std::optional<std::string> ServedStream::take_reference(const std::string& task) {
  ClipSeries* const series = series_of(task);
  if (series == nullptr) return "stream '" + settings_.name + "' has no task '" + task + "'";
  if (series->settings().against.reference.empty())
    return "task '" + task + "' of stream '" + settings_.name + "' is not against a reference";
  series->take_reference();
  return std::nullopt;
}

void ServedStream::on_clip(Clip clip, std::size_t sampling) {
  if (sampling == series_.size() + settings_.taps.size())
    return pictures_.add_glimpse(std::move(clip.frames.back()));
  pictures_.add(clip.frames.back());
  if (sampling >= series_.size()) {
    around_.pairings.offer_second(settings_.taps[sampling - series_.size()].pairing,
                                  std::move(clip.frames.front()));
    return;
  }
  ClipSeries& series = *series_[sampling];
  const TaskSettings& task = series.settings();
  if (!task.against.stream.empty()) {
    around_.pairings.offer_first(pairing_of(settings_.name, task.name), std::move(clip.frames.front()));
  } else if (!task.against.reference.empty()) {
    if (auto pair = with_reference(std::move(clip), series)) ask(*std::move(pair), sampling);
  } else {
    ask(std::move(clip), sampling);
  }
}

// A clip of the reference picture and the frame; nothing while there is no reference picture.
std::optional<Clip> ServedStream::with_reference(Clip clip, ClipSeries& series) {
  const std::string& name = series.settings().against.reference;
  if (series.takes_reference()) {
    try {
      around_.references.set(name, clip.frames.front());
      log_info(settings_.name + ": reference '" + name + "' taken");
    } catch (const std::exception& error) {
      log_error(settings_.name + ": reference '" + name + "': " + error.what());
    }
  }
  std::optional<Frame> reference = around_.references.get(name);
  if (!reference) {
    series.miss();
    if (missing_.count(1, steady_clock::now())) {
      log_warning(settings_.name + ": there is no reference '" + name +
                  "' yet; take one with `palisade control take-reference " + settings_.name + " " +
                  series.settings().name + "`");
    }
    return std::nullopt;
  }
  clip.frames.insert(clip.frames.begin(), *std::move(reference));
  clip.sampling.count = 2;
  return clip;
}

void ServedStream::ask(Clip clip, std::size_t index) {
  ClipSeries& series = *series_[index];
  const std::lock_guard lock(asking_);
  if (const auto count = losses_.count(clip.lost_before, steady_clock::now())) {
    log_info(format("{}: gave up {} windows in which the stream paused, jumped or was lost", settings_.name,
                    *count));
  }
  const std::optional<ClipContext> passes = series.pass(clip);
  if (!passes) {
    // Not a warning: clips are skipped because the settings say so, and a street may be quiet for hours.
    if (const auto count = skips_.count(1, steady_clock::now()))
      log_line(LogLevel::kDebug, format("{}: skipped {} clips", settings_.name, *count));
    return;
  }
  const auto passed = std::make_shared<ClipContext>(*passes);
  passed->series = index;
  const auto folds_alike = [](const TaskSettings& task) { return task.repeat_likeness.has_value(); };
  Request request{
      .clip = std::move(clip),
      .prompts = series.prompts(),
      .max_new_tokens = series.settings().max_new_tokens.value_or(around_.engine.max_new_tokens),
      .method = method_of(series.settings().answer_type),
      .location_spread = series.settings().location_spread,
      .prune = series.settings().prune,
      .adapter = adapters_[index],
      .likeness = around_.likeness || std::ranges::any_of(settings_.tasks, folds_alike),
      .deadline = around_.engine.deadline,
      .cancelled = [self = shared_from_this()] { return self->stopping_.load(); },
      .tell = [self = shared_from_this(), passed](
                  const Request& served, const Reply& reply) { self->on_reply(*passed, served, reply); }};
  request.dropped_before = passed->left_out + passed->lost;
  if (settings_.gate.semantic && !passed->demanded) {
    request.unchanged = [gate = series.gate(), passed](const Clip& seen,
                                                       std::span<const ImageFeatures> features) {
      const ClipGate::Verdict verdict = gate->compare(seen, features);
      passed->similarity = verdict.similarity;
      return verdict.unchanged;
    };
  }
  const std::uint64_t dropped = around_.queue.push(settings_.name, int(index), std::move(request));
  dropped_ += dropped;
  if (const auto count = drops_.count(dropped + passed->left_out, steady_clock::now())) {
    log_warning(format("{}: dropped {} clips, the model does not keep up; raise 'every' or use fewer tasks",
                       settings_.name, *count));
  }
  tell_change(series, series.pushed(dropped > 0));
}

void ServedStream::on_pair(Clip pair, std::size_t index) {
  std::optional<std::string> notice;
  {
    const std::lock_guard lock(pairs_mutex_);
    notice = pair_notices_[index].matched();
  }
  if (notice) tell_pairs(series_[index]->settings().name + ": " + *notice, LogLevel::kInfo);
  ask(std::move(pair), index);
}

void ServedStream::on_miss(std::uint64_t count, const PairMiss& last, std::size_t index) {
  series_[index]->miss(count);
  const PairPartner& against = series_[index]->settings().against;
  std::optional<std::string> notice;
  {
    const std::lock_guard lock(pairs_mutex_);
    notice = pair_notices_[index].missed(count, last, against.stream, against.gap);
  }
  if (notice) tell_pairs(series_[index]->settings().name + ": " + *notice, LogLevel::kWarning);
}

// Publishes the stream's state, which has not changed, with the notice as its reason.
void ServedStream::tell_pairs(const std::string& notice, LogLevel level) {
  if (stopping_) return;
  log_line(level, settings_.name + ": " + notice);
  FeedReport report;
  {
    const std::lock_guard lock(mutex_);
    report = last_report_;
  }
  if (report.state != FeedState::kOnline) return;
  report.reason = notice;
  publish_state(report);
}

void ServedStream::tell_change(const ClipSeries& series, ClipSeries::Change change) const {
  if (change == ClipSeries::Change::kNone || stopping_) return;
  const std::string less = series.degradation_text();
  const std::string task = settings_.name + ": " + series.settings().name + ": ";
  if (change == ClipSeries::Change::kLess) {
    log_warning(task + "the model does not keep up: " + less);
  } else {
    log_info(task + "the load has fallen: " + (less.empty() ? "as configured again" : less));
  }
}

void ServedStream::on_report(const FeedReport& report) {
  const std::string state(name_of(report.state));
  const std::string reason = redacted(report.reason);
  // Only changes are logged, not every further attempt to reach a camera that is away.
  if (const std::string line = state + (reason.empty() ? "" : ": " + reason);
      std::exchange(last_state_, line) != line) {
    const std::int64_t pause_ms = report.next_try_in.count();
    log_info(settings_.name + ": " + line + (pause_ms > 0 ? format("; next try in {} ms", pause_ms) : ""));
  }
  {
    const std::lock_guard lock(mutex_);
    last_report_ = report;
  }
  publish_state(report);
  if (report.state == FeedState::kUnreadable) unreadable_ = true;
  if (report.state != FeedState::kEnded) return;
  ended_ = true;
  around_.ended();
}

void ServedStream::publish_state(const FeedReport& report) {
  around_.road.publish(StateRecord{.stream = settings_.name, .state = state_of(report)});
}

void ServedStream::on_reply(const ClipContext& passed, const Request& request, const Reply& reply) {
  if (stopping_) return;
  images_encoded_ += std::uint64_t(reply.images_encoded);
  const std::size_t index = series_[passed.series]->tasks()[reply.prompt_index];
  const TaskSettings& task = settings_.tasks[index];
  // "Unchanged" says nothing if the answer that it refers to has failed in the meantime.
  const bool holds_nothing = reply.unchanged && !told_.contains(index);
  if (!reply.error.empty() || holds_nothing) return on_failure(passed, request, reply);
  // The service is ending: half an answer is not published.
  if (!reply.unchanged && reply.answer.finish_reason == FinishReason::kCancelled) return;
  AnswerRecord record = record_of(index, passed, request, reply);
  AnswerEvent& answer = record.answer;
  if (reply.unchanged) {
    ++unchanged_;
    answer.text = told_[index].text;
    answer.unchanged_since = told_[index].time;
  } else {
    ++answered_;
    task.task->read(reply.answer,
                    {.clip = request.clip,
                     .locations = task.locations,
                     .masks = around_.masks,
                     .type = &task.answer_type},
                    answer);
    if (around_.certainty != nullptr) calibrate(answer, *around_.certainty);
    if (task.fold_repeats && repeats(index, record)) {
      answer.text = told_[index].text;
      answer.unchanged_since = told_[index].time;
    } else {
      told_[index] = {
          .time = latest(request.clip).stamp.wall, .text = answer.text, .likeness = record.likeness};
    }
  }
  {
    const std::lock_guard lock(mutex_);
    last_texts_[index] = {latest(request.clip).stamp.wall, answer.text, answer.choices, answer.boxes};
  }
  around_.road.publish(std::move(record));
}

bool ServedStream::repeats(std::size_t task, const AnswerRecord& record) const {
  const auto told = told_.find(task);
  if (told == told_.end()) return false;
  const std::optional<double>& alike = settings_.tasks[task].repeat_likeness;
  return words_alone(told->second.text) == words_alone(record.answer.text) ||
         (alike && likeness_of(told->second.likeness, record.likeness) >= *alike);
}

void ServedStream::on_failure(const ClipContext& passed, const Request& request, const Reply& reply) {
  const std::size_t index = series_[passed.series]->tasks()[reply.prompt_index];
  ++failed_;
  failed_before_[index] += 1 + request.dropped_before;
  told_.erase(index);
  if (ClipGate* const gate = series_[passed.series]->gate()) gate->forget();
  if (reply.error.empty()) return;
  if (const auto count = failures_.count(1, steady_clock::now())) {
    log_error(format("{}: {} answers failed: {}", settings_.name, *count, reply.error));
  }
}

AnswerRecord ServedStream::record_of(std::size_t task, const ClipContext& passed, const Request& request,
                                     const Reply& reply) {
  AnswerRecord record =
      palisade::record_of(request, reply, around_.model, settings_.name, settings_.tasks[task].name);
  record.storage = storage_of(settings_.tasks[task]);
  AnswerEvent& answer = record.answer;
  answer.task = settings_.tasks[task].task->name;
  answer.dropped_before += std::exchange(failed_before_[task], 0);
  answer.window.similarity = passed.similarity;
  if (passed.degraded_from > 0) answer.window.degraded_from = passed.degraded_from;
  answer.window.one_of = passed.one_of;
  if (series_[passed.series]->chooses()) {
    answer.skipped_before = passed.skipped - std::exchange(skipped_told_[task], passed.skipped);
  }
  return record;
}

}  // namespace palisade
