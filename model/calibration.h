#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "model/matrix.h"
#include "model/weight_rows.h"

namespace palisade {

// In int8 the inputs of a product are divided by its smoothing and its weights multiplied, so that what
// stands out on either side is shared (SmoothQuant, arXiv 2211.10438). [inputs]
using Smoothing = std::vector<float>;

// What has gone into one product.
class InputStatistics {
 public:
  explicit InputStatistics(const WeightRows& weight);

  void see(ConstMatrixView x);
  bool seen() const { return seen_; }
  // Gives both sides of a channel the same range; the geometric mean is 1.
  Smoothing smoothing() const;

 private:
  bool seen_ = false;
  std::vector<float> largest_weights_, largest_inputs_;  // magnitudes of each channel
};

// Has every product of a model note its inputs while calibrating questions are answered.
class InputNotes {
 public:
  // `product` is its first tensor's name. What is noted twice is one product.
  std::shared_ptr<InputStatistics> note(const std::string& product, const WeightRows& weight);
  // Of all products that were used.
  std::map<std::string, Smoothing> smoothing() const;
  std::string fingerprint;  // of the weights, see Checkpoint

 private:
  std::map<std::string, std::shared_ptr<InputStatistics>> products_;
};

// Of a checkpoint, beside its weights.
inline constexpr char kCalibrationFile[] = "calibration.json";

// Throws ModelError where it cannot.
void write_calibration(const std::filesystem::path& file, const InputNotes& notes);
// Throws ModelError where the file is of another version or of other weights, and names the remedy.
std::map<std::string, Smoothing> read_calibration(const std::filesystem::path& file,
                                                  const std::string& fingerprint);

}  // namespace palisade
