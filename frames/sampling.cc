#include "frames/sampling.h"

namespace palisade {

std::string_view name_of(SamplingPolicy policy) {
  switch (policy) {
    case SamplingPolicy::kUniform:
      return "uniform";
    case SamplingPolicy::kStride:
      return "stride";
    case SamplingPolicy::kKeyframes:
      return "keyframes";
    case SamplingPolicy::kMotion:
      return "motion";
  }
  return "unknown";
}

}  // namespace palisade
