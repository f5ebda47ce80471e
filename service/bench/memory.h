#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "model/config/model_config.h"

namespace palisade {

// What this process may still take: the machine's available memory, or less where a cgroup (a container, a
// service's MemoryMax) or a limit on the address space allows less. `root` is replaced in tests.
std::uint64_t available_memory(const std::filesystem::path& root = "/");

// Of this process: now, and the most since it began or since forget_peak(), which the kernel may refuse.
std::uint64_t resident_memory();
std::uint64_t peak_memory();
bool forget_peak();

// What weights of this shape take: packed, and the embedding (f32 or bf16) beside the packed head.
std::uint64_t weight_memory(const ModelConfig& config, double bytes_per_weight);
// With the largest matmul while it is packed, keys, values and rows of a prefill of `positions`, and what is
// kept to be used again.
std::uint64_t memory_needed(const ModelConfig& config, int positions, double bytes_per_weight);
// Throws UsageError with both numbers where that is more than `available`. `what` names the model.
void require_memory(std::string_view what, std::uint64_t needed, std::uint64_t available);

// Before a model is loaded: throws UsageError where its weights alone do not fit, and returns a warning where
// a clip of 16 images would not.
std::optional<std::string> tell_memory(std::string_view what, const ModelConfig& config,
                                       std::string_view precision, double bytes_per_weight,
                                       std::uint64_t available);

}  // namespace palisade
