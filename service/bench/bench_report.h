#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "service/bench/agreement.h"
#include "service/bench/machine_limits.h"
#include "service/bench/stages.h"

namespace palisade {

// The measurements of one run of `palisade bench`.
struct BenchReport {
  std::string model;
  std::string precision = "f32";
  std::string calibration;  // as in ModelIdentity
  bool random_weights = false;
  std::uint64_t parameters = 0;
  double load_seconds = 0;
  std::uint64_t loaded_memory = 0;  // resident bytes once the model is loaded
  MachineLimits limits;             // of the whole run
  std::vector<StageResult> stages;
  Agreement agreement;
};

// Time that the limits measured around this stage would allow, over the time it took; 1 is at the limits.
double share_of_limits(const BenchReport& report, const StageResult& stage);
// The same for matmuls by weights alone.
double share_of_limits_in_matmul(const BenchReport& report, const StageResult& stage);

std::string table_of(const BenchReport& report);  // a table for a terminal
Json json_of(const BenchReport& report);
// The roofline (Williams et al., CACM 2009) as SVG: operations a second over operations a byte, both
// logarithmic, the machine's roof and every stage under it.
std::string roofline_of(const BenchReport& report);

}  // namespace palisade
