#pragma once

#include <string>
#include <string_view>

namespace palisade {

// What a file is that was to hold a JSON object a line, told by its first bytes, with what to do; empty where
// it may be such a file. A UTF-8 byte order mark is no mistake.
std::string file_mistake(std::string_view start);

// What is wrong with a line that is no JSON object, named as what it is; empty where no mistake is known.
// `last` of a file that ends without a line break.
std::string line_mistake(std::string_view line, bool last);

}  // namespace palisade
