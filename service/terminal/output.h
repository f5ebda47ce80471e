#pragma once

#include <string>

namespace palisade {

// One line on stdout, at once. Where it cannot be written the program ends with exit code 1: silently when
// its reader has left (`| head`), with a line on stderr otherwise (a full disk). Any thread.
void print_line(const std::string& line);

}  // namespace palisade
