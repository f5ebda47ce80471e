#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "service/transfer/transfer_settings.h"

namespace palisade {

// What came of one run: how many answers of the evaluation were exact (by beams where the recipe has some),
// its loss, and the main figure of the recipe's metric.
struct SweepScore {
  double exact = 0;  // share
  double loss = 0;
  double seconds = 0;
  std::optional<double> metric = {};
};

struct SweepRun {
  std::string name;  // of its folder
  TransferSettings settings;
  std::optional<SweepScore> score = {};  // where it is finished
  std::string failure = {};              // why it is not, where it failed
};

// A higher figure of the metric is better, then more exact answers, then less loss, then to be earlier.
// nullptr where none is finished.
const SweepRun* best_of(const std::vector<SweepRun>& runs);

// `keys` are the hyper-parameters to show. A table in Markdown that reads as text too; a picture (SVG).
std::string table_of(const std::vector<SweepRun>& runs, const std::vector<std::string>& keys);
std::string picture_of(const std::vector<SweepRun>& runs, const std::vector<std::string>& keys);
Json json_of(const std::vector<SweepRun>& runs, const std::vector<std::string>& keys);

}  // namespace palisade
