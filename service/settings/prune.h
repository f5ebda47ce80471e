#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace palisade {

// The threshold of read_images() above which a frame counts as static; nothing: every frame is read.
using Prune = std::optional<double>;

inline constexpr double kStaticThreshold = 0.95;
inline constexpr int kMinPrunedFrames = 3;  // frames

// Accepted values, for messages.
inline constexpr std::string_view kPruneForms = "off, static, or static:0.5 to static:0.9999";
// Parses "off", "static" or "static:0.95". False for any other text, which leaves `prune` unchanged.
bool read_prune(std::string_view text, Prune& prune);
// The inverse of read_prune(), with the threshold; empty where every frame is read.
std::string prune_text(const Prune& prune);

}  // namespace palisade
