#include "ingest/feed.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <optional>
#include <utility>

#include "base/format.h"
#include "base/redaction.h"
#include "frames/motion_watch.h"
#include "frames/privacy_mask.h"
#include "frames/sampler.h"
#include "frames/view.h"
#include "ingest/apart.h"
#include "ingest/backlog.h"
#include "ingest/clock_notice.h"
#include "ingest/glimpses.h"
#include "ingest/retry.h"
#include "ingest/source/pause.h"
#include "ingest/source/url.h"
#include "ingest/turns.h"

namespace palisade {
namespace {

using std::chrono::milliseconds, std::chrono::steady_clock;

constexpr std::chrono::seconds kBetweenReports{10};  // between reports of one kind

// Why a connection ended.
struct Loss {
  SourceFault fault = SourceFault::kUnreachable;
  std::string reason;
};

// Makes copies share one function, because a reader that is left behind keeps a copy.
Feed::Open shared(Feed::Open open) {
  return [all = std::make_shared<Feed::Open>(std::move(open))](
             const SourceOptions& options, std::stop_token stop) { return (*all)(options, std::move(stop)); };
}

}  // namespace

// Belongs to the feed's thread, except the two atomics and Glimpses::watch().
struct Feed::State {
  State(FeedOptions feed_options, OnClip clip, OnReport report, Open open_with)
      : options(std::move(feed_options)),
        on_clip(std::move(clip)),
        on_report(std::move(report)),
        open(shared(std::move(open_with))),
        mask(options.masks),
        retry(options.retry) {
    bool watches = options.watch_motion;
    for (const Sampling& sampling : options.samplings) {
      samplers.emplace_back(sampling);
      watches = watches || sampling.policy == SamplingPolicy::kMotion;
    }
    if (watches) motion.emplace(options.region);
    clip_end.resize(samplers.size());
    lost_told.resize(samplers.size());
    wants.resize(samplers.size());
  }

  void run(std::stop_token stop);

  // Reads one connection, or all turns of a looped file. Nothing when a file has been read to its end.
  std::optional<Loss> connect(std::stop_token stop);
  // Opens the source and reads it to its end.
  std::optional<Loss> read(std::stop_token stop);
  void pump(Source& source, std::stop_token stop);
  bool wanted(const FrameStamp& own, bool paced);
  void pace(MediaTime pts);
  void check_damage(const FrameStamp& stamp);
  void tell_jump();
  void tell_skipped(Source& source, bool at_once);
  void tell_online(const Frame& frame, const Source& source);
  void tell_clock();
  void deliver(Frame frame, const Source& source);
  void deliver_clip(Clip clip, std::size_t sampling_index);
  Image view();
  void finish_clips();
  // False when another attempt is useless or a stop was requested.
  bool recover(const Loss& loss);
  bool is_final(SourceFault fault) const;

  void report(FeedState state, std::string reason = {}, milliseconds next_try_in = {});
  milliseconds time_online() const;
  // Duration of the current attempt, while it has not succeeded.
  milliseconds time_tried() const;

  const FeedOptions options;
  const OnClip on_clip;
  const OnReport on_report;
  const Open open;
  std::atomic<std::uint64_t> frames_seen{0};
  std::atomic<bool> ended{false};

  PrivacyMask mask;
  Image newest;       // the newest picture that a sampler took, as large as the camera's
  Image newest_view;  // made of it, once a clip needs one
  std::optional<MotionWatch> motion;
  bool look = false;  // whether `motion` wants the current frame
  Glimpses glimpses;
  bool glimpse = false;  // whether the current frame is one
  std::vector<Sampler> samplers;
  std::vector<bool> wants;                         // which samplers want the current frame
  std::vector<std::optional<MediaTime>> clip_end;  // by sampling: end of its last clip in this connection
  Retry retry;
  Pause* wait = nullptr;
  int width = 0, height = 0;
  MonotonicTime attempt_since{};
  std::optional<MonotonicTime> online_since;
  bool was_online = false;                  // in any connection so far
  std::optional<MonotonicTime> pace_start;  // when pts 0 was due
  std::optional<MonotonicTime> told_jump;
  std::optional<MonotonicTime> told_skipped;
  SkippedPictures skipped;  // not yet reported
  std::optional<MonotonicTime> told_size;
  int width_told = 0, height_told = 0;
  Source* reading = nullptr;
  bool live = false;
  Turns turns{{}};
  std::optional<MediaTime> file_end;
  std::vector<std::uint64_t> lost_told;  // by sampling: lost windows already counted in a clip
  ClockNotice clock_notice;
  Backlog backlog;
  MonotonicTime last_sound;  // time of the last undamaged frame, or of the connection's beginning
  MediaTime last_pts{0};
  std::uint64_t frames_of_connection = 0;
};

void Feed::State::report(FeedState state, std::string reason, milliseconds next_try_in) {
  on_report({.stream = options.stream,
             .state = state,
             .reason = std::move(reason),
             .since = wall_now(),
             .attempt = retry.attempt(),
             .next_try_in = next_try_in,
             .width = width,
             .height = height});
}

milliseconds Feed::State::time_online() const {
  if (!online_since) return milliseconds(0);
  return std::chrono::floor<milliseconds>(steady_clock::now() - *online_since);
}

milliseconds Feed::State::time_tried() const {
  if (online_since) return milliseconds(0);
  return std::chrono::floor<milliseconds>(steady_clock::now() - attempt_since);
}

// Waits until the frame is due. After a jump in pts the schedule starts anew.
void Feed::State::pace(MediaTime pts) {
  const MediaTime step = pts - last_pts;
  last_pts = pts;
  const auto longest = std::max<MediaTime>(Sampler::kDiscontinuity, 2 * options.source.frame_interval);
  if (!pace_start || step < MediaTime::zero() || step > longest) {
    pace_start = steady_clock::now() - pts;
  }
  wait->until(*pace_start + pts);
}

// A network that damages every picture counts as a stall.
void Feed::State::check_damage(const FrameStamp& stamp) {
  const MonotonicTime time = steady_clock::now();
  if (!stamp.corrupt) last_sound = time;
  const milliseconds patience = options.source.keyframe_timeout;
  if (time - last_sound < patience) return;
  throw SourceError(
      SourceFault::kStalled,
      format(
          "nothing but damaged pictures for {} ms: packets get lost: mend the network, or set transport: tcp",
          patience.count()));
}

// Reports a jump, but not for every frame of a camera whose clock is broken.
void Feed::State::tell_jump() {
  const MonotonicTime time = steady_clock::now();
  if (!online_since || (told_jump && time - *told_jump < kBetweenReports)) return;
  told_jump = time;
  report(FeedState::kOnline, "the camera's clock jumped: windows begin anew");
}

void Feed::State::tell_skipped(Source& source, bool at_once) {
  skipped.add(source.take_skipped());
  const MonotonicTime time = steady_clock::now();
  const bool soon = told_skipped && time - *told_skipped < kBetweenReports;
  if (skipped.pictures == 0 || !online_since || (soon && !at_once)) return;
  told_skipped = time;
  report(FeedState::kOnline, std::exchange(skipped, {}).text());
}

void Feed::State::tell_clock() {
  if (!online_since) return;
  if (auto notice = clock_notice.notice(reading->clock_error(), steady_clock::now()))
    report(FeedState::kOnline, *std::move(notice));
}

bool Feed::State::wanted(const FrameStamp& own, bool paced) {
  const FrameStamp stamp = turns.going_on(own);
  frames_seen.fetch_add(1, std::memory_order_relaxed);
  ++frames_of_connection;
  if (paced) pace(stamp.pts);
  if (live) {
    backlog.check(stamp.pts, steady_clock::now(), reading->intake(), options.source.stall_timeout);
    check_damage(stamp);
    tell_clock();
  }
  if (stamp.jumped) tell_jump();
  // The first picture is always converted: it shows that the camera is online, and its size.
  look = motion && motion->due(stamp);
  glimpse = options.glimpses && glimpses.due(stamp);
  bool any = look || glimpse || (!online_since && !stamp.corrupt);
  for (std::size_t i = 0; i < samplers.size(); ++i) {
    wants[i] = samplers[i].wants(stamp) && !stamp.corrupt;
    if (std::optional<Clip> clip = samplers[i].take_ended()) deliver_clip(*std::move(clip), i);
    any = any || wants[i];
  }
  return any;
}

// Reports the first picture and changes of size, at most once in a while for a folder whose pictures differ.
void Feed::State::tell_online(const Frame& frame, const Source& source) {
  width = frame.source_width;
  height = frame.source_height;
  const MonotonicTime time = steady_clock::now();
  const bool changed = width != width_told || height != height_told;
  const bool soon = told_size && time - *told_size < kBetweenReports;
  if (online_since && (!changed || soon)) return;
  if (online_since) told_size = time;
  if (!online_since) online_since = time;
  was_online = true;
  width_told = width;
  height_told = height;
  report(FeedState::kOnline, source.remark());
}

void Feed::State::deliver(Frame frame, const Source& source) {
  tell_online(frame, source);
  frame.stamp = turns.moved(frame.stamp);
  frame.image = mask.painted(frame.image);
  if (look) motion->look(frame.stamp.pts, frame.image);
  const bool any = std::ranges::find(wants, true) != wants.end();
  if (!any && !glimpse) return;
  frame.stream = options.stream;
  if (motion) frame.motion = motion->total();
  const Image whole = frame.image;
  if (any && options.make_views) newest = whole, newest_view = {};
  frame.image = resize(whole, options.image_size, options.image_size, options.resize);
  if (glimpse) on_clip(glimpses.take(frame, whole), samplers.size());
  for (std::size_t i = 0; i < samplers.size(); ++i) {
    if (!wants[i]) continue;
    for (Clip& clip : samplers[i].offer(frame)) deliver_clip(std::move(clip), i);
  }
}

// Clips that end with one frame share its view.
Image Feed::State::view() {
  if (newest_view.empty() && !newest.empty()) newest_view = view_of(newest);
  return newest_view;
}

void Feed::State::deliver_clip(Clip clip, std::size_t sampling_index) {
  std::optional<MediaTime>& last_end = clip_end[sampling_index];
  const MediaTime begin = clip.frames.front().stamp.pts;
  if (motion) clip.moving = !last_end || motion->moved_since(std::min(begin, *last_end + MediaTime(1)));
  last_end = latest(clip).stamp.pts;
  clip.lost_before = samplers[sampling_index].discarded() - lost_told[sampling_index];
  lost_told[sampling_index] += clip.lost_before;
  if (options.make_views) clip.frames.back().view = view();
  on_clip(std::move(clip), sampling_index);
}

void Feed::State::finish_clips() {
  for (std::size_t i = 0; i < samplers.size(); ++i) {
    if (std::optional<Clip> clip = samplers[i].finish()) deliver_clip(std::move(*clip), i);
  }
}

void Feed::State::pump(Source& source, std::stop_token stop) {
  reading = &source;
  live = source.live();
  file_end = source.duration();
  last_sound = steady_clock::now();
  const bool paced = options.pace && !live;
  const Wanted wanted_here = [&](const FrameStamp& stamp) { return wanted(stamp, paced); };
  while (!stop.stop_requested()) {
    std::optional<Frame> frame = source.next(wanted_here);
    if (frame) deliver(std::move(*frame), source);
    tell_skipped(source, !frame);
    if (!frame) return;
  }
}

std::optional<Loss> Feed::State::connect(std::stop_token stop) {
  online_since.reset();
  attempt_since = steady_clock::now();
  pace_start.reset();
  backlog = {};
  clock_notice = {};
  turns.begin(steady_clock::now());
  for (Sampler& sampler : samplers) sampler.reset();
  if (motion) motion->reset();
  glimpses.reset();
  clip_end.assign(samplers.size(), std::nullopt);
  std::optional<Loss> loss = read(stop);
  while (!loss && options.loop && frames_of_connection > 0 &&
         wait->until(turns.next(file_end, steady_clock::now()))) {
    loss = read(stop);
  }
  return loss;
}

std::optional<Loss> Feed::State::read(std::stop_token stop) {
  frames_of_connection = 0;
  try {
    const auto source = open_apart(open, decoding_for(options.samplings, options.source), stop);
    pump(*source, stop);
    if (source->live()) return Loss{SourceFault::kUnreachable, "the camera ended the stream"};
    return std::nullopt;
  } catch (const SourceError& e) {
    return Loss{e.fault(), redact_text(e.what(), options.source.password)};
  } catch (const std::exception& e) {
    return Loss{SourceFault::kUnreadable, redact_text(e.what(), options.source.password)};
  }
}

// An address that has worked may work again. A file is unreachable only while descriptors are short, and
// hangs only while its disk does.
bool Feed::State::is_final(SourceFault fault) const {
  if (fault == SourceFault::kUnreachable || fault == SourceFault::kHung) return false;
  return names_file(options.source.url) || (fault == SourceFault::kRefused && !was_online);
}

bool Feed::State::recover(const Loss& loss) {
  retry.count(time_online());
  if (is_final(loss.fault)) {
    report(FeedState::kUnreadable, loss.reason);
    report(FeedState::kEnded, loss.reason);
    return false;
  }
  const bool rarely = readers_left_behind(options.source.url) >= kMaxLeftBehind;
  const milliseconds pause = retry.pause(rarely ? SourceFault::kUnreadable : loss.fault, time_tried());
  const MonotonicTime next = steady_clock::now() + pause;
  const bool silent = loss.fault == SourceFault::kStalled || loss.fault == SourceFault::kHung;
  if (silent) report(FeedState::kStalled, loss.reason, pause);
  report(state_of(loss.fault), loss.reason, pause);
  return wait->until(next);
}

void Feed::State::run(std::stop_token stop) {
  Pause pause(stop);
  wait = &pause;
  report(FeedState::kConnecting);
  while (!stop.stop_requested()) {
    const std::optional<Loss> loss = connect(stop);
    if (stop.stop_requested()) break;
    if (!loss) {
      finish_clips();
      ended = true;
      return report(FeedState::kEnded);
    }
    if (!recover(*loss) && !stop.stop_requested()) {
      ended = true;
      return;
    }
  }
  report(FeedState::kRemoved, readers_left_behind(options.source.url) > 0
                                  ? "its reader did not come back in time and was left behind"
                                  : "");
}

Feed::Feed(FeedOptions options, OnClip on_clip, OnReport on_report, Open open)
    : state_(std::make_unique<State>(std::move(options), std::move(on_clip), std::move(on_report),
                                     std::move(open))),
      thread_([state = state_.get()](std::stop_token stop) { state->run(std::move(stop)); }) {}

Feed::~Feed() = default;  // thread_ is destroyed first: it stops and joins

void Feed::request_stop() {
  thread_.request_stop();
}

std::uint64_t Feed::frames_seen() const {
  return state_->frames_seen.load(std::memory_order_relaxed);
}

void Feed::watch() {
  state_->glimpses.watch();
}

bool Feed::ended() const {
  return state_->ended;
}

}  // namespace palisade
