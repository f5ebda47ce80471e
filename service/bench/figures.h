#pragma once

#include <map>
#include <span>
#include <string>

#include "model/paligemma/paligemma.h"
#include "service/bench/stages.h"

namespace palisade {

// Seconds that a model's work takes on this machine: measured where that takes a few seconds, else estimated
// from its operations and the nearest measured rate.
class Figures {
 public:
  explicit Figures(ModelConfig config) : config_(std::move(config)) {}

  void set_encode(int images, double seconds) { encode_[images] = seconds; }
  void set_prefill(int positions, double seconds) { prefill_[positions] = seconds; }
  void set_step(int sequences, double seconds) { step_[sequences] = seconds; }

  // encode, prefill and step were each measured at least once.
  double encode(int images) const;      // in batches of the largest measured size, the rest one by one
  double prefill(int positions) const;  // one prompt
  double step(double sequences) const;  // one token for each sequence; linear between measured sizes
  const std::map<int, double>& encodes() const { return encode_; }
  const std::map<int, double>& prefills() const { return prefill_; }
  const std::map<int, double>& steps() const { return step_; }

 private:
  ModelConfig config_;
  std::map<int, double> encode_, prefill_, step_;
};

// What an adapter makes of the model's own times: each is that of the model alone times this.
struct AdapterCost {
  double encode = 1;  // of images, where it changes how they look; else its tasks share the model's
  double prefill = 1;
  double step = 1;
  bool changes_images = false;
};

// Measures both beside each other at this prompt length.
AdapterCost measure_adapter(const PaliGemma& model, const SharedAdapter& adapter, int positions,
                            const TellStep& tell);

// Measures the shortest of these prompt lengths (in positions) and all that take a few seconds at most.
Figures measure_figures(const PaliGemma& model, std::span<const int> lengths, const TellStep& tell);

}  // namespace palisade
