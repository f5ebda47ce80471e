#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/json.h"
#include "service/transfer/data_check.h"

namespace palisade {

// What was found, for people: a line a fact, and under it the first places.
std::string data_text(const CheckedData& data, int text_length);
std::string leaks_text(const DataLeaks& leaks, const CheckedData& first, const CheckedData& second);
// The same for programs.
Json data_json(const CheckedData& data);
Json leaks_json(const DataLeaks& leaks);

// Writes a page that shows at most `count` examples, drawn by the seed: pictures, prompt, answer and line. It
// needs nothing beside it. Throws Error where it cannot be written.
void write_contact_sheet(const std::filesystem::path& page, const CheckedData& data, std::size_t count,
                         std::uint64_t seed);

}  // namespace palisade
