#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace palisade {

// The threshold of read_images() where static images of a clip are not read; nothing: all are.
using Prune = std::optional<double>;

inline constexpr double kStaticThreshold = 0.95;
inline constexpr int kMinPrunedFrames = 3;  // frames

// What --prune and `prune:` may be, for messages.
inline constexpr std::string_view kPruneForms = "off, static, or static:0.5 to static:0.9999";
// Of "off", "static" or "static:0.95"; false, and `prune` as it was, for any other text.
bool read_prune(std::string_view text, Prune& prune);
// As read_prune() takes it, with its threshold; empty where all images are read.
std::string prune_text(const Prune& prune);

}  // namespace palisade
