#pragma once

#include <string>
#include <string_view>

namespace palisade {

// "a/b" to "a%2Fb" and back. A '%' without two hexadecimal digits behind it is kept when decoding.
std::string percent_encoded(std::string_view text);
std::string percent_decoded(std::string_view text);

}  // namespace palisade
