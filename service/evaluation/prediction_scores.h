#pragma once

#include <string>

namespace palisade {

struct PredictionOptions {
  std::string predictions, data, metric, mask_decoder;
  bool lower = false;
  bool json = false;
};

// Scores what another program predicted. Returns an exit code.
int score_predictions(const PredictionOptions& options);

}  // namespace palisade
