#pragma once

#include <functional>
#include <vector>

#include "model/matmul/precision.h"

namespace palisade {

// Whether this CPU multiplies in that precision, fast and exactly: in int8 by integer_tiles or oneDNN.
bool has_matmul(Precision precision);

// Whether oneDNN's int8 does not saturate: before VNNI pairs of products were added in int16.
bool has_exact_onednn();

// Whether oneDNN multiplies by AMX here, which no other instructions come near.
bool has_tile_registers();

// Whether int8 matmul is integer_tiles': unless oneDNN has instructions for them that tiles do not know,
// which are AMX, and VNNI without AVX-512's later parts.
bool multiplies_by_tiles();

// Multiply [rows, inputs] by packed weights [outputs, inputs] each time they are called, with nothing before
// or after it: by oneDNN as it likes its operands best, which may saturate, and as layers multiply. For a
// precision that it has.
std::vector<std::function<void()>> bare_matmuls(Precision precision, int rows, int inputs, int outputs);

}  // namespace palisade
