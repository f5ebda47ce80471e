#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "model/config/model_config.h"

namespace palisade {

// Bytes that this process may still take: the available memory, or less where a control group or a limit on
// the address space allows less. `root` is replaced in tests.
std::uint64_t available_memory(const std::filesystem::path& root = "/");

// Resident bytes of this process now, and the most since it began or since forget_peak(), which the kernel
// may refuse.
std::uint64_t resident_memory();
std::uint64_t peak_memory();
bool forget_peak();

// Bytes of packed weights of this shape, with the embedding (f32 or bf16) beside the packed head.
std::uint64_t weight_memory(const ModelConfig& config, double bytes_per_weight);
// Bytes of weights, of the largest matrix while it is packed, of keys, values and rows of a prefill of
// `positions`, and of blocks kept for reuse.
std::uint64_t memory_needed(const ModelConfig& config, int positions, double bytes_per_weight);
// Throws UsageError with both numbers where `needed` is more than `available`. `what` names the model.
void require_memory(std::string_view what, std::uint64_t needed, std::uint64_t available);

// Called before a model is loaded. Throws UsageError where the weights alone do not fit; returns a warning
// where a clip of 16 images would not.
std::optional<std::string> tell_memory(std::string_view what, const ModelConfig& config,
                                       std::string_view precision, double bytes_per_weight,
                                       std::uint64_t available);

}  // namespace palisade
