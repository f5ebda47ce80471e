#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "frames/clip.h"
#include "service/settings/settings.h"
#include "service/streams/clip_gate.h"
#include "service/streams/degradation.h"

namespace palisade {

// What a clip takes along on its way to the engine.
struct ClipContext {
  std::size_t series = 0;
  std::uint64_t skipped = 0;   // of its series before it, by motion and demand
  std::uint64_t left_out = 0;  // since the last one of its series that went on, by load
  std::uint64_t lost = 0;      // likewise, where the stream was broken
  int degraded_from = 0;       // frames, where load made them fewer
  int one_of = 1;              // clips, where load leaves some out
  bool demanded = false;
  std::optional<double> similarity;  // the engine's thread's
};

// The tasks of a stream that see the same clips, and which of those clips are worth asking about: by motion,
// on demand, and as many as the engine keeps up with. Of pass(), pushed() and degradation_text() one runs at
// a time.
class ClipSeries {
 public:
  ClipSeries(const TaskSettings& first, const GateSettings& gate, bool degrades);

  void add(std::size_t task, std::string prompt);
  const std::vector<std::size_t>& tasks() const { return tasks_; }
  const std::vector<std::string>& prompts() const { return prompts_; }
  const TaskSettings& settings() const { return settings_; }  // those that all its tasks share
  bool watches_motion() const { return watches_motion_; }
  ClipGate* gate() { return gate_.get(); }

  // The next clip is asked about, whatever gates, demand and load say.
  void demand() { demanded_ = true; }

  // The next frame becomes the picture that this series' tasks are against.
  void take_reference() { takes_reference_ = true; }
  bool takes_reference() { return takes_reference_.exchange(false); }
  // There was nothing to pair its clip with.
  void miss(std::uint64_t count = 1) { skipped_ += count; }

  // Whether `clip` goes on to the engine, thinned where load demands it; nothing where it does not.
  std::optional<ClipContext> pass(Clip& clip);
  enum class Change { kNone, kLess, kMore };
  // What became of it in the queue: how the load has changed.
  Change pushed(bool lost_one);
  // "every 2nd clip, 4 frames"; empty where nothing is left out.
  std::string degradation_text() const;
  // Whether clips may be skipped where nothing is wrong.
  bool chooses() const {
    return watches_motion_ || settings_.when == When::kDemand || !settings_.against.reference.empty() ||
           !settings_.against.stream.empty();
  }
  // Clips that were not asked about: by motion, demand or for want of a reference, and by load.
  std::uint64_t skipped() const { return skipped_; }
  std::uint64_t left_out() const { return left_out_; }
  // Windows that the stream broke in the middle of.
  std::uint64_t lost() const { return lost_; }

 private:
  const TaskSettings settings_;
  const bool watches_motion_;
  const bool degrades_;
  std::vector<std::size_t> tasks_;  // indices into the stream's settings
  std::vector<std::string> prompts_;
  std::unique_ptr<ClipGate> gate_;  // nothing without gates
  std::atomic<bool> demanded_{false};
  std::atomic<bool> takes_reference_{false};
  std::atomic<std::uint64_t> skipped_{0};
  std::atomic<std::uint64_t> left_out_{0};
  Degradation degradation_;
  std::uint64_t left_out_untold_ = 0;
  std::atomic<std::uint64_t> lost_{0};
  std::uint64_t lost_untold_ = 0;
};

// `count` of the clip's frames, spread evenly from the first to the last.
void thin(Clip& clip, int count);

}  // namespace palisade
