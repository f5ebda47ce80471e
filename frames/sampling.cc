#include "frames/sampling.h"

namespace palisade {

std::string_view name_of(SamplingPolicy policy) {
  return policy == SamplingPolicy::kUniform ? "uniform" : "stride";
}

}  // namespace palisade
