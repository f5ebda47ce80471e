#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "service/settings/settings.h"
#include "service/streams/clip_series.h"

namespace palisade {

// What nobody can know of a configuration before it runs.
struct PlanAssumptions {
  double frames_per_second = 25;   // of every camera
  double seconds_to_keyframe = 2;  // from one to the next
  int answer_tokens = 16;          // at most engine.max_new_tokens
  double minutes = 10;             // simulated
};

// Engine seconds that one clip's request takes, by stage.
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

// What a request costs: its new images, the frames of its clip, and its prompts.
using CostOfRequest =
    std::function<StageSeconds(int new_images, int frames, const std::vector<std::string>& prompts)>;

// What became of one series of clips: the tasks of a stream that see the same ones.
struct SeriesLoad {
  std::string stream;
  std::vector<std::string> tasks;
  int frames = 0;  // as configured, with what they are paired with
  bool on_demand = false;
  std::uint64_t clips = 0;     // that the cameras gave
  std::uint64_t answered = 0;  // of these
  std::uint64_t lost = 0;      // dropped from a full lane
  std::uint64_t new_images = 0;
  std::uint64_t frames_answered = 0;
  StageSeconds seconds;
  std::map<std::string, std::uint64_t> degraded;  // how many clips came at "4 frames instead of 16"

  std::string usual_degradation() const;  // how most clips came; empty: as configured
};

struct SimulatedLoad {
  double seconds = 0;  // simulated, and counted below
  double busy = 0;     // of the engine
  std::vector<SeriesLoad> series;

  StageSeconds total() const;
};

// Plays the configuration's streams with the service's own parts (Sampler, ClipSeries, Degradation,
// RequestQueue) against an engine that takes `cost`. With `endless` the engine takes no time: then nothing is
// lost or degraded, and the seconds are those that the configuration asks for. Gates let everything through,
// streams without a pace (`pace: false`) are left out, and what is asked on demand is never asked.
SimulatedLoad simulate(const Settings& settings, const PlanAssumptions& assumptions,
                       const CostOfRequest& cost, bool endless);

}  // namespace palisade
