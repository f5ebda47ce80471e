#pragma once

#include <stdexcept>

namespace palisade {

// A model folder, tensor or request that cannot be used; what() names it and the remedy.
class ModelError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace palisade
