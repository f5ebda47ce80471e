#pragma once

#include <string>

namespace palisade {

// What this machine lets a camera's process take from itself, tried in one that ends at once: "seccomp,
// Landlock 7, hosts".
std::string confinement_here();

}  // namespace palisade
