#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace palisade {

// Vectors of length 1 (pooled_features()) as f16, and back.
std::string half_floats(std::span<const float> vector);
std::vector<float> floats_of(std::string_view half_floats);

struct AlikeEvent {
  std::int64_t position = 0;
  float cosine = 0;
};
// The events whose last frames mean the most similar to that of the event at `position`, itself left out,
// most alike first: a product of all stored vectors with one. Empty where it has no vector. Throws
// StorageError.
std::vector<AlikeEvent> alike_events(const std::filesystem::path& state_folder, std::int64_t position,
                                     std::size_t count);

}  // namespace palisade
