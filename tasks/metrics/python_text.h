#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace palisade {

// Texts as Python 3.11 takes them, in which the published metrics are written. All texts are valid UTF-8.

std::u32string code_points_of(std::string_view text);
std::string utf8_of(std::u32string_view text);

bool is_python_space(char32_t point);                             // str.isspace()
bool is_python_word(char32_t point);                              // \w of re
bool is_cased(char32_t point);                                    // has a lower, upper or title case
std::optional<int> decimal_digit(char32_t point);                 // 0 to 9 in any script
std::string python_lower(std::string_view text);                  // str.lower(): full mapping, no locale
std::string stripped(std::string_view text);                      // str.strip()
std::vector<std::string> words_at_spaces(std::string_view text);  // str.split()

// float(text): nothing where Python refuses it. Beyond the range of doubles: infinity.
std::optional<double> python_float(std::string_view text);

}  // namespace palisade
