#include "base/descriptor.h"

#include <unistd.h>

namespace palisade {

Descriptor::~Descriptor() {
  if (number_ >= 0) close(number_);
}

}  // namespace palisade
