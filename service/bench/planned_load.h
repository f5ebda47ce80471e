#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "service/settings/settings.h"
#include "service/streams/clip_series.h"

namespace palisade {

// What is unknown before a configuration runs.
struct PlanAssumptions {
  double frames_per_second = 25;   // of every camera
  double seconds_to_keyframe = 2;  // from one keyframe to the next
  int answer_tokens = 16;          // at most engine.max_new_tokens
  double minutes = 10;             // of simulated time
  // Those that change how images look: they are encoded anew for each.
  std::set<std::filesystem::path> image_adapters = {};
};

// Seconds of the engine for one request, by stage.
struct StageSeconds {
  double encode = 0;
  double prefill = 0;
  double decode = 0;

  double total() const { return encode + prefill + decode; }
  StageSeconds& operator+=(const StageSeconds& other);
  StageSeconds operator/(double divisor) const {
    return {encode / divisor, prefill / divisor, decode / divisor};
  }
};

// What the cost of a request depends on.
struct PlannedRequest {
  int new_images = 0;
  int frames = 0;
  const std::vector<std::string>& prompts;
  const TaskSettings& task;  // the first of those that share the request; their adapter and type are the same

  // Typed answers are scored in the prefill.
  bool decodes() const { return task.answer_type.kind == AnswerType::Kind::kText; }
};
using CostOfRequest = std::function<StageSeconds(const PlannedRequest&)>;

// The outcome of one series: the tasks of a stream that see the same clips.
struct SeriesLoad {
  std::string stream;
  std::vector<std::string> tasks;
  int frames = 0;  // as configured, with those of its partner
  bool on_demand = false;
  std::uint64_t clips = 0;     // made by the cameras
  std::uint64_t answered = 0;  // of these
  std::uint64_t lost = 0;      // dropped from a full lane
  std::uint64_t new_images = 0;
  std::uint64_t frames_answered = 0;
  StageSeconds seconds;
  std::map<std::string, std::uint64_t>
      degraded;  // clips by their degradation, such as "4 frames instead of 16"

  std::string usual_degradation() const;  // the most frequent one; empty: as configured
};

struct SimulatedLoad {
  double seconds = 0;  // of simulated time that is counted
  double busy = 0;     // seconds of the engine
  std::vector<SeriesLoad> series;

  StageSeconds total() const;
};

// Simulates the configuration with the service's own Sampler, ClipSeries, Degradation and RequestQueue
// against an engine that takes `cost`. With `endless` the engine takes no time, so nothing is lost or
// degraded and the seconds are what the configuration asks for. Gates let everything pass; streams without a
// pace (`pace: false`) and tasks on demand are left out.
SimulatedLoad simulate(const Settings& settings, const PlanAssumptions& assumptions,
                       const CostOfRequest& cost, bool endless);

}  // namespace palisade
