#pragma once

#include <map>
#include <span>
#include <string>

#include "model/paligemma/paligemma.h"
#include "service/bench/stages.h"

namespace palisade {

// What a model's work costs on this machine, in seconds: measured where that takes seconds, and reckoned from
// the operations at the nearest measured rate where it would take long.
class Figures {
 public:
  explicit Figures(ModelConfig config) : config_(std::move(config)) {}

  void set_encode(int images, double seconds) { encode_[images] = seconds; }
  void set_prefill(int positions, double seconds) { prefill_[positions] = seconds; }
  void set_step(int sequences, double seconds) { step_[sequences] = seconds; }

  // Each of the three was measured at least once.
  double encode(int images) const;      // in the largest measured batches, the rest one by one
  double prefill(int positions) const;  // one prompt
  double step(double sequences) const;  // one token of each; linear between what was measured
  const std::map<int, double>& encodes() const { return encode_; }
  const std::map<int, double>& prefills() const { return prefill_; }
  const std::map<int, double>& steps() const { return step_; }

 private:
  ModelConfig config_;
  std::map<int, double> encode_, prefill_, step_;
};

// Of these prompt lengths, in positions, the shortest and all that take a few seconds at most.
Figures measure_figures(const PaliGemma& model, std::span<const int> lengths, const TellStep& tell);

}  // namespace palisade
