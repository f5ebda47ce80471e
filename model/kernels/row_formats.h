#pragma once

#include <cstdint>
#include <span>

namespace palisade {

// Rows of matmuls in narrower numbers than f32, as oneDNN takes them (Highway, like kernels.h).

// Rounded to the nearest bf16.
void to_bf16(std::span<const float> x, std::span<std::uint16_t> out);
void from_bf16(std::span<const std::uint16_t> x, std::span<float> out);

// Values that are rotated together, and what rows are padded to with zeros.
inline constexpr int kRotatedBlock = 128;
constexpr int rotated_size(int size) {
  return (size + kRotatedBlock - 1) / kRotatedBlock * kRotatedBlock;
}

// Each block of x through the Sylvester-Hadamard matrix / sqrt(128), which is its own inverse and leaves
// products of rotated rows what they were. A channel that stands out is spread over its block (QuaRot, arXiv
// 2404.00456). out [rotated_size(x.size())]
void rotate(std::span<const float> x, std::span<float> out);

// The rotated row in units of its largest magnitude / 127. Returns that quantisation scale: 0 for a row of
// zeros, NaN where a value is not finite. out [rotated_size(x.size())]
float quantise_rotated(std::span<const float> x, std::span<std::int8_t> out);
// The same shifted by kShift, as matmuls take rows.
inline constexpr int kShift = 128;
float quantise_rotated(std::span<const float> x, std::span<std::uint8_t> out);

// What the columns of a matmul by weights in int8 need to become f32. [outputs] each
struct ColumnScales {
  std::span<const float> scales;
  std::span<const std::int32_t> shifts;  // kShift times the sum of a row of weights
  std::span<const float> bias;           // or empty
};
// (sums[i] - shifts[i]) * scale * scales[i] + bias[i], in place: `sums` holds 32-bit integers and becomes
// f32.
void scale_sums(std::span<float> sums, float scale, const ColumnScales& columns);

}  // namespace palisade
