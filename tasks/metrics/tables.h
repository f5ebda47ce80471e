#pragma once

#include <string_view>

namespace palisade {

// The files of tasks/metrics/data, which stand in the program.
std::string_view unicode_table();      // unicode.txt
std::string_view vqav2_words_table();  // vqav2_words.txt
std::string_view ptb_characters_table();
std::string_view ptb_abbreviations_table();

}  // namespace palisade
