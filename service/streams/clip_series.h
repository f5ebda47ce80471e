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

// What the service remembers about a clip while the engine has it. Counts are of clips of the same series.
struct ClipContext {
  std::size_t series = 0;
  std::uint64_t skipped = 0;   // skipped so far by the motion gate or for want of a demand
  std::uint64_t left_out = 0;  // left out because of load since the last clip that was passed on
  std::uint64_t lost = 0;      // lost to breaks of the stream since the last clip that was passed on
  int degraded_from = 0;       // frames before load reduced them; 0: not reduced
  int one_of = 1;              // load lets one clip of so many through
  bool demanded = false;
  std::optional<double> similarity;  // set and read by the engine's thread only
};

// The tasks of a stream that share their clips, and the choice of the clips that go to the engine: by motion,
// on demand, and as many as the engine can answer. The caller makes sure that only one of pass(), pushed()
// and degradation_text() runs at a time.
class ClipSeries {
 public:
  ClipSeries(const TaskSettings& first, const GateSettings& gate, bool degrades);

  void add(std::size_t task, std::string prompt);
  const std::vector<std::size_t>& tasks() const { return tasks_; }
  const std::vector<std::string>& prompts() const { return prompts_; }
  const TaskSettings& settings() const {
    return settings_;
  }  // of its first task; the tasks agree on sampling
  bool watches_motion() const { return watches_motion_; }
  ClipGate* gate() { return gate_.get(); }

  // The next clip goes to the engine regardless of gates and load.
  void demand() { demanded_ = true; }

  // The next frame becomes the reference picture that these tasks compare with.
  void take_reference() { takes_reference_ = true; }
  bool takes_reference() { return takes_reference_.exchange(false); }
  // Counts clips that found no partner to be paired with.
  void miss(std::uint64_t count = 1) { skipped_ += count; }

  // Decides whether `clip` goes to the engine, and takes frames out of it if load demands that. Returns
  // nothing if the clip is skipped.
  std::optional<ClipContext> pass(Clip& clip);
  enum class Change { kNone, kLess, kMore };
  // To be called after a clip was pushed into the queue. `lost_one`: the queue dropped an older clip for it.
  // Returns whether less or more is asked of the engine from now on.
  Change pushed(bool lost_one);
  // "every 2nd clip, 4 frames"; empty where nothing is left out.
  std::string degradation_text() const;
  // Whether the settings themselves make this series skip clips.
  bool chooses() const {
    return watches_motion_ || settings_.when == When::kDemand || !settings_.against.reference.empty() ||
           !settings_.against.stream.empty();
  }
  // Clips that did not go to the engine: skipped by the settings, left out because of load.
  std::uint64_t skipped() const { return skipped_; }
  std::uint64_t left_out() const { return left_out_; }
  // Windows that were given up because the stream broke.
  std::uint64_t lost() const { return lost_; }

 private:
  const TaskSettings settings_;
  const bool watches_motion_;
  const bool degrades_;
  std::vector<std::size_t> tasks_;  // indices into the stream's settings
  std::vector<std::string> prompts_;
  std::unique_ptr<ClipGate> gate_;  // null if no gate is configured
  std::atomic<bool> demanded_{false};
  std::atomic<bool> takes_reference_{false};
  std::atomic<std::uint64_t> skipped_{0};
  std::atomic<std::uint64_t> left_out_{0};
  Degradation degradation_;
  std::uint64_t left_out_untold_ = 0;
  std::atomic<std::uint64_t> lost_{0};
  std::uint64_t lost_untold_ = 0;
};

// Keeps `count` of the clip's frames, spread evenly from the first to the last.
void thin(Clip& clip, int count);

}  // namespace palisade
