#include "service/commands/sampling_flags.h"

#include <CLI/CLI.hpp>

#include "base/duration.h"
#include "base/error.h"

namespace palisade {
namespace {

std::chrono::milliseconds duration_flag(const char* flag, const std::string& text,
                                        std::chrono::milliseconds least) {
  const auto duration = duration_of(text);
  if (!duration || *duration < least) {
    throw UsageError(std::string(flag) + " is a duration of at least " + duration_text(least) +
                     ", such as 500ms, 4s or 2m, not '" + text + "'");
  }
  return *duration;
}

}  // namespace

void add_sampling_flags(CLI::App& command, SamplingFlags& flags) {
  command.add_option("--frames", flags.frames, "Frames of a window")
      ->envname("PALISADE_FRAMES")
      ->check(CLI::IsMember({1, 2, 16}))
      ->capture_default_str();
  command.add_option("--span", flags.span, "Time from the first to the last frame of a window")
      ->envname("PALISADE_SPAN")
      ->type_name("DURATION")
      ->capture_default_str();
  command
      .add_option("--every", flags.every,
                  "Time from one window to the next; windows overlap where it is shorter than --span")
      ->envname("PALISADE_EVERY")
      ->type_name("DURATION")
      ->capture_default_str();
  command
      .add_option("--policy", flags.policy,
                  "Which frames: spread over the span, keyframes alone (cheap), or every --frame-step-th")
      ->envname("PALISADE_POLICY")
      ->check(CLI::IsMember({"uniform", "keyframes", "stride"}))
      ->capture_default_str();
  command.add_option("--frame-step", flags.frame_step, "Frames from one to the next of --policy stride")
      ->envname("PALISADE_FRAME_STEP")
      ->check(CLI::Range(1, 10'000));
}

Sampling sampling_of(const SamplingFlags& flags) {
  using std::chrono::milliseconds;
  const bool stride = flags.policy == "stride";
  if (stride != (flags.frame_step > 0)) {
    throw UsageError("--policy stride and --frame-step N belong together; give both or neither");
  }
  Sampling sampling{
      .count = flags.frames,
      .span = flags.frames == 1 ? milliseconds(0) : duration_flag("--span", flags.span, milliseconds(1)),
      .stride = duration_flag("--every", flags.every, milliseconds(100)),
      .policy = stride                        ? SamplingPolicy::kStride
                : flags.policy == "keyframes" ? SamplingPolicy::kKeyframes
                                              : SamplingPolicy::kUniform,
      .frame_step = std::max(1, flags.frame_step)};
  if (sampling.span / sampling.stride >= 64)
    throw UsageError("--span is more than 64 times --every; raise --every");
  return sampling;
}

}  // namespace palisade
