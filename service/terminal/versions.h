#pragma once

#include <string>

namespace palisade {

// "palisade 0.1.0" and a line for each library whose version matters.
std::string versions_text();

}  // namespace palisade
