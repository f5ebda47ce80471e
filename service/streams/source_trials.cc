#include "service/streams/source_trials.h"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>

#include "base/format.h"
#include "frames/clip.h"
#include "ingest/feed_process.h"

namespace palisade {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::seconds kCameraPatience{15}, kFilmPatience{60};
// Frames of a film that are held at a time; from then on every second one goes, so that they stay evenly
// spread.
constexpr std::size_t kFilmFrames = 128;
constexpr Sampling kFewFrames{.count = 1, .span = 0ms, .stride = 100ms};

// Waits for the end of something that happens on other threads.
class Ending {
 public:
  void end() {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    wake_.notify_all();
  }
  // False where the time was over first, or it was stopped.
  bool wait(const std::stop_token& stop, std::chrono::seconds patience) {
    std::unique_lock lock(mutex_);
    return wake_.wait_for(lock, stop, patience, [this] { return ended_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any wake_;
  bool ended_ = false;  // guarded by mutex_
};

std::unique_ptr<ClipFeed> feed_of(FeedOptions options, const StreamSettings& settings, Feed::OnClip on_clip,
                                  Feed::OnReport on_report) {
  if (!settings.process)
    return std::make_unique<Feed>(std::move(options), std::move(on_clip), std::move(on_report));
  return std::make_unique<FeedProcess>(
      std::move(options), std::move(on_clip), std::move(on_report),
      FeedProcessOptions{.memory_bytes = std::size_t(settings.process_memory_mb) << 20});
}

// States that end a trial: it cannot be seen now, whatever the feed would do next.
bool is_failure(FeedState state) {
  return state != FeedState::kConnecting && state != FeedState::kOnline && state != FeedState::kEnded;
}

std::string text_of(const FeedReport& report) {
  return report.reason.empty() ? std::string(name_of(report.state)) : report.reason;
}

}  // namespace

CameraTrial try_camera(const StreamSettings& settings, const FrameSquare& square,
                       const std::stop_token& stop) {
  const auto begun = std::chrono::steady_clock::now();
  Ending ending;
  std::mutex mutex;
  CameraTrial trial;  // guarded by mutex
  auto on_clip = [&](const Clip& clip, std::size_t) {
    const std::lock_guard lock(mutex);
    if (trial.frame || !trial.message.empty()) return;
    trial.frame = latest(clip);
    ending.end();
  };
  auto on_report = [&](const FeedReport& report) {
    const std::lock_guard lock(mutex);
    if (trial.frame || !trial.message.empty() ||
        !(is_failure(report.state) || report.state == FeedState::kEnded))
      return;
    trial.message = text_of(report);
    ending.end();
  };
  const std::unique_ptr<ClipFeed> feed = feed_of({.stream = settings.name,
                                                  .source = settings.source,
                                                  .samplings = {kFewFrames},
                                                  .image_size = square.side,
                                                  .resize = square.resize,
                                                  .masks = settings.masks,
                                                  .make_views = true},
                                                 settings, on_clip, on_report);
  const bool ended = ending.wait(stop, kCameraPatience);
  feed->request_stop();
  const std::lock_guard lock(mutex);
  if (!ended && !trial.frame)
    trial.message = format("no picture within {} s; look whether the address is right and the camera is on",
                           kCameraPatience.count());
  trial.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  return trial;
}

FilmFrames frames_of_film(const std::string& file, std::size_t most, const FrameSquare& square,
                          const std::stop_token& stop) {
  Ending ending;
  std::mutex mutex;
  std::vector<Frame> frames;  // guarded by mutex, as all below
  std::size_t seen = 0, step = 1;
  std::string message;
  auto on_clip = [&](const Clip& clip, std::size_t) {
    const std::lock_guard lock(mutex);
    if (seen++ % step != 0) return;
    frames.push_back(latest(clip));
    if (frames.size() < kFilmFrames) return;
    step *= 2;
    for (std::size_t i = 0; 2 * i < frames.size(); ++i) frames[i] = std::move(frames[2 * i]);
    frames.resize((frames.size() + 1) / 2);
  };
  auto on_report = [&](const FeedReport& report) {
    if (is_failure(report.state)) {
      const std::lock_guard lock(mutex);
      message = text_of(report);
    }
    if (is_failure(report.state) || report.state == FeedState::kEnded) ending.end();
  };
  const StreamSettings settings{.name = "film"};
  const std::unique_ptr<ClipFeed> feed = feed_of({.stream = settings.name,
                                                  .source = {.url = file},
                                                  .samplings = {kFewFrames},
                                                  .image_size = square.side,
                                                  .resize = square.resize},
                                                 settings, on_clip, on_report);
  const bool ended = ending.wait(stop, kFilmPatience);
  feed->request_stop();
  const std::lock_guard lock(mutex);
  if (!ended)
    return {.frames = {}, .message = "the film takes longer than a minute to read; send a shorter one"};
  if (frames.empty()) return {.frames = {}, .message = message.empty() ? "the film has no picture" : message};
  FilmFrames film;
  const std::size_t count = std::min(most, frames.size());
  for (std::size_t i = 0; i < count; ++i)
    film.frames.push_back(frames[count == 1 ? 0 : i * (frames.size() - 1) / (count - 1)]);
  return film;
}

SourceTrials::~SourceTrials() {
  for (Place& place : places_) place.thread.request_stop();
}

bool SourceTrials::begin(Job job) {
  for (Place& place : places_) {
    if (place.taken.exchange(true)) continue;
    place.thread = std::jthread([&place, job = std::move(job)](const std::stop_token& stop) {
      job(stop);
      place.taken = false;
    });
    return true;
  }
  return false;
}

}  // namespace palisade
