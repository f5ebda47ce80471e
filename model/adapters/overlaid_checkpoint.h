#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "model/weights/checkpoint.h"

namespace palisade {

// A model's weights, some of them replaced by an adapter's (AdapterTensors::replaced, which outlives this).
// An embedding that is replaced leaves the head as it was, which is then a tensor of its own, as in PEFT.
class OverlaidCheckpoint : public Checkpoint {
 public:
  OverlaidCheckpoint(const std::filesystem::path& folder, const std::map<std::string, TensorView>& replaced)
      : Checkpoint(folder), replaced_(replaced) {}
  bool has(const std::string& name) const override;

 protected:
  void require(const std::string& name, std::span<const std::int64_t> shape) const override;
  void fill(const std::string& name, std::span<const std::int64_t> shape, std::size_t first,
            std::span<float> target) const override;

 private:
  // The model's tensor for one that is not replaced.
  std::string own_name(const std::string& name) const;
  const std::map<std::string, TensorView>& replaced_;
};

}  // namespace palisade
