#pragma once

#include <string_view>

namespace palisade {

// service/http/openapi.json, as it was when the program was built.
std::string_view openapi_text();

}  // namespace palisade
