#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace palisade {

// What the weights of matmuls are packed as. Activations between them are f32 in all three.
enum class Precision { kF32, kBf16, kInt8 };

// Nothing: what this CPU is measured to do best ("auto").
using PrecisionChoice = std::optional<Precision>;

std::string_view name_of(Precision precision);
// Those in which this CPU multiplies (see has_matmul), f32 first.
std::vector<Precision> precisions_here();
// Of "f32", "bf16", "int8" or "auto"; false, and `choice` as it was, for any other text.
bool read_precision(std::string_view text, PrecisionChoice& choice);

// Times one matmul of the decoder's kind in every precision that this CPU has.
struct PrecisionTrial {
  Precision fastest = Precision::kF32;
  std::string measured;  // "f32 10.2 ms, bf16 5.1 ms, int8 2.6 ms for 256 rows of 2048 x 2048"
};
PrecisionTrial try_precisions();

}  // namespace palisade
