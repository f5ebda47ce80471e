#pragma once

#include <cstdint>
#include <string>

#include "base/json.h"
#include "tasks/metrics/example.h"

namespace palisade {

inline constexpr int kMostPictureSide = 1 << 16;  // pixels

// Values of a line of data from outside. All throw Error, which names the key and the remedy.

std::string text_of_line(const Json& line, const char* key);
// Nothing where the key is missing or null.
std::string text_of_line_or(const Json& line, const char* key, const std::string& otherwise);
std::int64_t whole_number_of_line(const Json& line, const char* key, std::int64_t least, std::int64_t most);
// Finite and not beyond 1e12, so that areas and sums stay exact enough to compare.
double json_number_of(const Json& value, const std::string& name);
// Four of them.
std::array<double, 4> four_numbers_of(const Json& value, const std::string& name);
bool given(const Json& line, const char* key);  // and not null

// "answers", "references" or "direct_answers" as lists; "answer", "target" or "suffix" as one. A test set
// says so with null or an empty list.
void read_answers(const Json& line, ExampleReferences& references);

}  // namespace palisade
