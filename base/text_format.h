#pragma once

#include <string>

namespace palisade {

// As printf: a line of a table for people.
__attribute__((format(printf, 1, 2))) std::string format_text(const char* pattern, ...);
// "12.34 ms", "5.60 s"
std::string duration_text(double seconds);

}  // namespace palisade
