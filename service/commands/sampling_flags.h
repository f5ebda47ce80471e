#pragma once

#include <string>

#include "frames/sampling.h"

namespace CLI {
class App;
}

namespace palisade {

// Values of --frames, --span, --every, --policy and --frame-step.
struct SamplingFlags {
  int frames = 16;
  std::string span = "4s";
  std::string every = "4s";
  std::string policy = "uniform";
  int frame_step = 0;
};

void add_sampling_flags(CLI::App& command, SamplingFlags& flags);
// Throws UsageError.
Sampling sampling_of(const SamplingFlags& flags);

}  // namespace palisade
