#pragma once

#include <cstdint>

namespace palisade {

using TokenId = std::int32_t;

}  // namespace palisade
