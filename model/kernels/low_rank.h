#pragma once

#include <cstdint>
#include <span>

namespace palisade {

// Loops of low-rank products over one row (Highway, like kernels.h). The numbers they multiply by are f32, or
// bf16 in half the memory.

// out[r] = the product of row r of `a` [out.size(), x.size()] and x
void multiply_rows(std::span<const float> a, std::span<const float> x, std::span<float> out);
void multiply_rows(std::span<const std::uint16_t> a, std::span<const float> x, std::span<float> out);

// Columns that stand together.
inline constexpr int kPanelColumns = 64;
// y += the sum over r of factors[r] times row r of `panel` [factors.size(), kPanelColumns]; y has that many
// columns or fewer.
void add_panel(std::span<const float> panel, std::span<const float> factors, std::span<float> y);
void add_panel(std::span<const std::uint16_t> panel, std::span<const float> factors, std::span<float> y);

}  // namespace palisade
