#pragma once

#include <string>
#include <string_view>

namespace palisade {

// "a%2Fb" of "a/b", and back; a '%' that no two digits follow stays.
std::string percent_encoded(std::string_view text);
std::string percent_decoded(std::string_view text);

}  // namespace palisade
