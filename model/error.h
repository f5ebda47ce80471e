#pragma once

#include "base/error.h"

namespace palisade {

// A model folder, a tensor or a question to a model that cannot be used.
class ModelError : public Error {
  using Error::Error;
};

}  // namespace palisade
