#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "model/config/model_config.h"
#include "model/matmul/precision.h"
#include "model/paligemma/paligemma.h"
#include "model/weights/calibration.h"
#include "model/weights/checkpoint.h"
#include "model/weights/packed_cache.h"
#include "model/weights/read_ahead.h"

namespace palisade {

// Where weights come from while a model is loaded. Throws Error where the options do not fit the folder.
struct WeightSource {
  Checkpoint checkpoint;
  std::shared_ptr<const Calibration> calibration;
  std::optional<PackedCache> cache;
  std::optional<ReadAhead> ahead;

  WeightSource(const std::filesystem::path& folder, const ModelConfig& config, Precision precision,
               const WeightOptions& options);

 private:
  void require_sha256(const std::filesystem::path& folder, const WeightOptions& options) const;
};

}  // namespace palisade
