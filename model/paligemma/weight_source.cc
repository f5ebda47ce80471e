#include "model/paligemma/weight_source.h"

#include <string>
#include <vector>

#include "model/error.h"
#include "model/matmul/matmul.h"
#include "model/weights/weight_files.h"

namespace palisade {
namespace {

std::shared_ptr<const Calibration> calibration_of(const std::filesystem::path& folder,
                                                  const Checkpoint& checkpoint, const ModelConfig& config,
                                                  Precision precision, const std::filesystem::path& named) {
  const auto file = named.empty() ? folder / kCalibrationFile : named;
  if (precision != Precision::kInt8 || (named.empty() && !std::filesystem::exists(file))) return nullptr;
  return std::make_shared<const Calibration>(config, file, checkpoint.fingerprint());
}

}  // namespace

WeightSource::WeightSource(const std::filesystem::path& folder, const ModelConfig& config,
                           Precision precision, const WeightOptions& options)
    : checkpoint(folder),
      calibration(calibration_of(folder, checkpoint, config, precision, options.calibration)) {
  if (!options.sha256.empty()) require_sha256(folder, options);
  if (calibration) checkpoint.smooth_with(*calibration);
  if (options.record != nullptr) checkpoint.record_inputs(*options.record);
  if (!options.packed_cache.empty()) {
    cache.emplace(packed_file(options.packed_cache, folder, std::string(name_of(precision))),
                  packed_origin(checkpoint.files(),
                                packing_of(precision) +
                                    (calibration ? ", calibration " + calibration->checksum() : "") +
                                    (options.sha256.empty() ? "" : ", sha256 " + options.sha256)));
    checkpoint.pack_with(*cache);
  }
  const bool packed = cache && cache->serves();
  ahead.emplace(packed ? std::vector{cache->path()} : paths_of(checkpoint.files()),
                [this, packed] { return packed ? cache->bytes_read() : checkpoint.bytes_read(); });
}

// All is read from these same open files, and each read finds them unchanged.
void WeightSource::require_sha256(const std::filesystem::path& folder, const WeightOptions& options) const {
  const std::string found = options.hash(checkpoint.files());
  if (found != options.sha256)
    throw ModelError(
        folder.string() + ": the weights have the SHA-256 " + found + ", not " + options.sha256 +
        ", to which they are pinned (model_sha256, --model-sha256); download them again, or pin " +
        "what they are now if you trust it");
}

}  // namespace palisade
