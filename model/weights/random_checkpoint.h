#pragma once

#include <cstdint>
#include <string>

#include "model/weights/checkpoint.h"

namespace palisade {

// Weights of any shape from a seeded generator, to measure how fast a model runs that is not at hand. Every
// tensor has values of its own (its name is part of the seed), small enough that the numbers stay finite
// through all layers. Answers mean nothing.
class RandomCheckpoint : public Checkpoint {
 public:
  explicit RandomCheckpoint(std::uint64_t seed = 1) : seed_(seed) {}
  bool has(const std::string& name) const override;

 protected:
  void require(const std::string&, std::span<const std::int64_t>) const override {}  // there is any
  void fill(const std::string& name, std::span<const std::int64_t> shape, std::size_t first,
            std::span<float> target) const override;

 private:
  std::uint64_t seed_;
};

}  // namespace palisade
