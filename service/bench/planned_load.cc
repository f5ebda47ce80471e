#include "service/bench/planned_load.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/format.h"
#include "frames/sampler.h"
#include "service/engine/request_queue.h"
#include "service/streams/task_groups.h"

namespace palisade {
namespace {

// Cameras start one after the other.
constexpr double kBetweenStarts = 0.7;  // seconds

MediaTime media_time(double seconds) {
  return MediaTime(std::int64_t(std::llround(seconds * 1e9)));
}

// Gates and motion are unknown, so every clip passes.
TaskSettings always(TaskSettings task) {
  task.when = When::kAlways;
  return task;
}

struct PlannedSeries {
  PlannedSeries(const TaskSettings& task, bool degrades)
      : first(task), sampler(task.sampling), clips(always(task), GateSettings{}, degrades) {}

  TaskSettings first;
  Sampler sampler;
  ClipSeries clips;
  MediaTime tap_every{0};  // frame interval of the partner stream
  SeriesLoad load;
};

struct PlannedStream {
  const StreamSettings* settings = nullptr;
  double start = 0;
  std::uint64_t number = 0;
  std::vector<std::unique_ptr<PlannedSeries>> series;
};

MediaTime tap_of(const Settings& settings, const std::string& stream, const std::string& pairing) {
  for (const StreamSettings& other : settings.streams) {
    if (other.name != stream) continue;
    for (const Tap& tap : other.taps) {
      if (tap.pairing == pairing) return tap.every;
    }
  }
  return std::chrono::milliseconds(500);
}

class Player {
 public:
  Player(const Settings& settings, const PlanAssumptions& assumptions, const CostOfRequest& cost,
         bool endless)
      : assumptions_(assumptions), cost_(cost), endless_(endless) {
    for (const StreamSettings& stream : settings.streams) {
      if (stream.pace && !stream.paused) add(settings, stream);
    }
  }

  SimulatedLoad play() {
    const double end = assumptions_.minutes * 60;
    // Only the second half is counted; in the first the degradation settles.
    counted_from_ = endless_ ? 0 : end / 2;
    const double interval = 1 / assumptions_.frames_per_second;
    for (double time = 0; time < end; time += interval) {
      for (std::size_t i = 0; i < streams_.size(); ++i) {
        const double at = time + interval * double(i) / double(streams_.size());
        if (at >= streams_[i].start) give_frame(streams_[i], at);
      }
    }
    serve_until(end);
    SimulatedLoad result{.seconds = end - counted_from_, .busy = busy_};
    for (PlannedStream& stream : streams_) {
      for (const auto& series : stream.series) result.series.push_back(std::move(series->load));
    }
    return result;
  }

 private:
  void add(const Settings& settings, const StreamSettings& stream) {
    PlannedStream played{.settings = &stream, .start = kBetweenStarts * double(streams_.size())};
    for (const std::vector<std::size_t>& group : groups_of(stream.tasks)) {
      const TaskSettings& first = stream.tasks[group.front()];
      auto series = std::make_unique<PlannedSeries>(first, stream.degrade);
      series->tap_every = tap_of(settings, first.against.stream, pairing_of(stream.name, first.name));
      const bool pairs = !first.against.stream.empty() || !first.against.reference.empty();
      series->load = {.stream = stream.name,
                      .frames = pairs ? 2 : first.sampling.count,
                      .on_demand = first.when == When::kDemand};
      for (const std::size_t index : group) {
        const TaskSettings& task = stream.tasks[index];
        series->clips.add(0, task.task->prompt(task.wording));
        series->load.tasks.push_back(task.name);
      }
      by_name_[format("{} {}", stream.name, played.series.size())] = series.get();
      played.series.push_back(std::move(series));
    }
    queue_.set_weight(stream.name, stream.priority);
    streams_.push_back(std::move(played));
  }

  void give_frame(PlannedStream& stream, double at) {
    serve_until(at);
    const double fps = assumptions_.frames_per_second;
    const auto keyframes =
        std::uint64_t(std::max<long long>(1, std::llround(fps * assumptions_.seconds_to_keyframe)));
    Frame frame;
    frame.stream = stream.settings->name;
    frame.stamp.number = stream.number++;
    frame.stamp.pts = media_time(double(frame.stamp.number) / fps);
    frame.stamp.keyframe = frame.stamp.number % keyframes == 0;
    for (std::size_t index = 0; index < stream.series.size(); ++index) {
      PlannedSeries& series = *stream.series[index];
      if (series.load.on_demand || !series.sampler.wants(frame.stamp)) continue;
      for (Clip& clip : series.sampler.offer(frame)) {
        pair_up(series, clip, at);
        ask(series, int(index), std::move(clip), at);
      }
    }
    serve_until(at);
  }

  void pair_up(const PlannedSeries& series, Clip& clip, double at) const {
    const PairPartner& against = series.first.against;
    if (!against.reference.empty()) {
      Frame reference;
      reference.stream = "reference " + against.reference;
      clip.frames.insert(clip.frames.begin(), std::move(reference));
    } else if (!against.stream.empty()) {
      Frame other;
      other.stream = against.stream;
      // The partner's nearest frame.
      const double every = std::chrono::duration<double>(series.tap_every).count();
      other.stamp.number =
          std::uint64_t(std::llround(std::round(at / every) * every * assumptions_.frames_per_second));
      clip.frames.push_back(std::move(other));
    }
  }

  void ask(PlannedSeries& series, int index, Clip clip, double at) {
    const bool counts = at >= counted_from_;
    if (counts) {
      ++series.load.clips;
      ++series.load.degraded[series.clips.degradation_text()];
    }
    if (!series.clips.pass(clip)) return;
    Request request{.clip = std::move(clip), .prompts = series.clips.prompts()};
    const std::uint64_t lost = queue_.push(series.load.stream, index, std::move(request));
    if (counts) series.load.lost += lost;
    series.clips.pushed(lost > 0);
  }

  // Serves waiting requests until the engine's time reaches `at`.
  void serve_until(double at) {
    while (free_at_ <= at) {
      const std::optional<Request> request = queue_.try_pop(false);
      if (!request) {
        free_at_ = at;
        return;
      }
      const StageSeconds seconds = serve(*request);
      if (!endless_) free_at_ += seconds.total();
    }
  }

  StageSeconds serve(const Request& request) {
    PlannedSeries& series = *by_name_.at(request.series);
    const std::filesystem::path& adapter = series.first.adapter;
    const std::string seen_by = assumptions_.image_adapters.contains(adapter) ? adapter.string() : "";
    int new_images = 0;
    for (const Frame& frame : request.clip.frames)
      new_images += encoded_[{seen_by, frame.stream}].insert(frame.stamp.number).second ? 1 : 0;
    const int frames = int(request.clip.frames.size());
    const StageSeconds seconds =
        cost_({.new_images = new_images, .frames = frames, .prompts = request.prompts, .task = series.first});
    if (free_at_ < counted_from_) return seconds;
    SeriesLoad& load = series.load;
    ++load.answered;
    load.new_images += std::uint64_t(new_images);
    load.frames_answered += std::uint64_t(frames);
    load.seconds += seconds;
    busy_ += seconds.total();
    return seconds;
  }

  const PlanAssumptions assumptions_;
  const CostOfRequest& cost_;
  const bool endless_;
  double counted_from_ = 0;
  double free_at_ = 0;
  double busy_ = 0;
  RequestQueue queue_;
  std::vector<PlannedStream> streams_;
  std::map<std::string, PlannedSeries*> by_name_;  // key: Request::series
  // Numbers of frames; key: the adapter with which they were encoded, or nothing, and the stream.
  std::map<std::pair<std::string, std::string>, std::set<std::uint64_t>> encoded_;
};

}  // namespace

StageSeconds& StageSeconds::operator+=(const StageSeconds& other) {
  encode += other.encode;
  prefill += other.prefill;
  decode += other.decode;
  return *this;
}

std::string SeriesLoad::usual_degradation() const {
  const auto most = std::ranges::max_element(degraded, {}, [](const auto& one) { return one.second; });
  return most == degraded.end() ? "" : most->first;
}

StageSeconds SimulatedLoad::total() const {
  StageSeconds all;
  for (const SeriesLoad& one : series) all += one.seconds;
  return all;
}

SimulatedLoad simulate(const Settings& settings, const PlanAssumptions& assumptions,
                       const CostOfRequest& cost, bool endless) {
  return Player(settings, assumptions, cost, endless).play();
}

}  // namespace palisade
