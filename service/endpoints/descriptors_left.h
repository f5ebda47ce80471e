#pragma once

#include <cstddef>

namespace palisade {

// Whether this process may open so many more file descriptors.
bool descriptors_left(std::size_t wanted);

}  // namespace palisade
