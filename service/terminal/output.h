#pragma once

#include <string>

namespace palisade {

// Writes one line to stdout and flushes it. Where that fails the program ends with exit code 1: silently when
// the reader has left (`| head`), else with a line on stderr. Any thread.
void print_line(const std::string& line);

}  // namespace palisade
