#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/error.h"

namespace palisade {

// The only file that includes nlohmann's JSON.
using Json = nlohmann::json;

// Parses one JSON document that need not be trusted: it must be valid UTF-8, without duplicate keys and at
// most 64 levels deep (copying a deeper one would overflow the stack). The Error that it throws begins with
// `what`.
Json parse_json(std::string_view text, std::string_view what);
// Parses a file of at most `max_bytes` in the same way.
Json read_json(const std::filesystem::path& path, std::size_t max_bytes = 64u << 20);

// Reads a whole file. Throws Error, which names it, if it is missing, not a regular file or larger than
// `max_bytes`.
std::string read_text_file(const std::filesystem::path& path, std::size_t max_bytes);

}  // namespace palisade
