#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "service/bench/agreement.h"
#include "service/bench/machine_limits.h"
#include "service/bench/stages.h"

namespace palisade {

// All that one run of `palisade bench` has measured.
struct BenchReport {
  std::string model;
  std::string precision = "f32";
  std::string calibration;  // as in ModelIdentity
  bool random_weights = false;
  std::uint64_t parameters = 0;
  double load_seconds = 0;
  std::uint64_t loaded_memory = 0;  // resident once loaded
  MachineLimits limits;             // all that were measured
  std::vector<StageResult> stages;
  Agreement agreement;
};

// What the limits at its time would take for this stage, as a share of what it took: 1 is at the limits.
double share_of_limits(const BenchReport& report, const StageResult& stage);
// The same of the stage's matmuls by weights alone.
double share_of_limits_in_matmul(const BenchReport& report, const StageResult& stage);

std::string table_of(const BenchReport& report);  // lines for people
Json json_of(const BenchReport& report);
// The roofline (Williams et al., CACM 2009) as SVG: operations a second over operations a byte, both
// logarithmic, the machine's roof and every stage under it.
std::string roofline_of(const BenchReport& report);

}  // namespace palisade
