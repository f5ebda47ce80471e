#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "model/decoding/decoding.h"

namespace CLI {
class App;
}

namespace palisade {

// Values of --choices, --beams, --length-penalty, --temperature, --top-k, --top-p, --seed and --top-tokens.
struct DecodingFlags {
  std::optional<std::string> choices;
  std::optional<int> beams;
  std::optional<double> length_penalty;
  std::optional<double> temperature;
  std::optional<int> top_k;
  std::optional<double> top_p;
  std::optional<std::uint64_t> seed;
  int top_tokens = 0;
};

void add_decoding_flags(CLI::App& command, DecodingFlags& flags);
// Greedy where no flag was given. Throws UsageError.
DecodingMethod method_of(const DecodingFlags& flags);

}  // namespace palisade
