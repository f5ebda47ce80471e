#pragma once

#include <functional>

#include "model/precision.h"

namespace palisade {

// Whether this CPU multiplies in that precision, fast and exactly: in int8 by integer_tiles or oneDNN.
bool has_products(Precision precision);

// Whether oneDNN's int8 does not saturate: before VNNI pairs of products were added in 16 bits.
bool has_exact_onednn();

// Whether oneDNN multiplies by AMX here, which no other instructions come near.
bool has_tile_registers();

// Multiplies [rows, inputs] by packed weights [outputs, inputs] each time it is called, with nothing before
// or after it: what oneDNN can do here at best. For a precision that this CPU has.
std::function<void()> bare_product(Precision precision, int rows, int inputs, int outputs);

}  // namespace palisade
