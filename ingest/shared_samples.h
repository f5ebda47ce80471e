#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "base/descriptor.h"

namespace palisade {

// Memory with these bytes that another process can be given and that nobody can change any more (a sealed
// memfd). Not open where the kernel has none.
Descriptor sealed_memory(std::span<const std::byte> bytes);

// Maps such memory of another process to be read, until the last reference is gone. Throws WireError where it
// is not of this size or could still change: a process that shortens it would end this one by SIGBUS.
std::shared_ptr<const std::byte> map_sealed(const Descriptor& memory, std::size_t size);

}  // namespace palisade
