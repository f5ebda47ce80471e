#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "model/config/model_config.h"
#include "model/tensor/matrix.h"
#include "model/weights/weight_rows.h"

namespace palisade {

// Largest magnitudes, channel by channel, of a matmul's weights and of what has gone into it. One thread's.
struct MatmulInputs {
  explicit MatmulInputs(const WeightRows& weight);
  // What is not finite stays, as infinity.
  void see(ConstMatrixView x);

  std::vector<float> largest_weights, largest_inputs;  // [inputs]
};

// What went into each matmul of a model, by the name of its weights (WeightRows::name).
using RecordedInputs = std::map<std::string, MatmulInputs>;

// What evens out the channels of an int8 model before they are rounded (SmoothQuant, arXiv 2211.10438, with
// its alpha 0.5): the columns of matmuls that share an input are multiplied by s, and what makes that input
// is divided by s: the norm before q, k and v and before the MLP, v before the attention's output, `up`
// before `down`. The model computes the same. Nothing linear stands before SigLIP's fc2, and the head goes
// without.
class Calibration {
 public:
  // s of a site is sqrt(largest input / largest weight) of each channel, in relation to their geometric mean,
  // from 0.001 to 1000. Throws Error where a matmul has seen nothing, or what is not finite.
  // `fingerprint` is the weights' (Checkpoint).
  Calibration(const ModelConfig& config, const RecordedInputs& inputs, const std::string& fingerprint);
  // Throws Error, with the remedy, where the file is damaged or of other weights.
  Calibration(const ModelConfig& config, const std::filesystem::path& file, const std::string& fingerprint);

  // What the second constructor reads.
  std::string text() const { return text_; }
  // Tells one calibration from another.
  std::string checksum() const;
  // Elements of a tensor of the checkpoint, from `first` on, in place. Called by several threads.
  void apply(const std::string& tensor, std::span<const std::int64_t> shape, std::size_t first,
             std::span<float> values) const;
  // Of what is added to a matrix of the checkpoint: the columns of its lower half a [rank, inputs], the rows
  // of its upper half b [outputs, rank] and of its bias [outputs], or empty.
  void apply_to_added(const std::string& matrix, MatrixView a, MatrixView b, std::span<float> bias) const;

 private:
  // Factors of a tensor's columns and of its rows; either may be empty.
  struct Change {
    std::vector<float> columns, rows;
    bool beside_one = false;  // Gemma's norms hold w of 1 + w
  };
  void set_up(const ModelConfig& config, const std::string& fingerprint, const std::string& what);

  std::string text_;
  std::map<std::string, Change> changes_;  // by tensor
};

// Beside the weights; used where no other is named.
inline constexpr char kCalibrationFile[] = "calibration.json";

}  // namespace palisade
