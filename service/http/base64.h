#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace palisade {

std::string base64_of(std::string_view bytes);
// Nothing for what is not strict base64, the empty text among it.
std::optional<std::vector<unsigned char>> bytes_of_base64(std::string_view text);
// "data:image/jpeg;base64,..."
std::string jpeg_url(std::string_view jpeg);

}  // namespace palisade
