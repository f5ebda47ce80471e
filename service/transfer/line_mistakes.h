#pragma once

#include <string>
#include <string_view>

namespace palisade {

// Names a file by its first bytes where it cannot be JSON lines, with the remedy; empty where it may be. A
// UTF-8 byte order mark is allowed.
std::string file_mistake(std::string_view start);

// Names the likely mistake in a line that is no JSON object; empty where none is known. `last`: the last line
// of a file that ends without a line break.
std::string line_mistake(std::string_view line, bool last);

}  // namespace palisade
