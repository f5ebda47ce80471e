#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/error.h"

namespace palisade {

// The project's one door to JSON.
using Json = nlohmann::json;

// Parses one strict JSON document of untrusted origin: valid UTF-8, no duplicate keys, at most 64 levels deep
// (a deeper document would overflow the stack when copied). Throws Error that begins with `what`.
Json parse_json(std::string_view text, std::string_view what);
// The same of a file of at most `max_bytes`.
Json read_json(const std::filesystem::path& path, std::size_t max_bytes = 64u << 20);

// A whole regular file. Throws Error naming it when it is missing, no regular file or larger than
// `max_bytes`.
std::string read_text_file(const std::filesystem::path& path, std::size_t max_bytes);

}  // namespace palisade
