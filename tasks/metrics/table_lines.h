#pragma once

#include <charconv>
#include <string_view>
#include <vector>

namespace palisade {

// Calls `take` with the words of each line of a table of tasks/metrics/data; a line that begins with # is a
// remark. Words are divided by single spaces.
template <typename Take>
void for_each_table_line(std::string_view table, Take take) {
  while (!table.empty()) {
    std::string_view line = table.substr(0, table.find('\n'));
    table.remove_prefix(line.size() + (line.size() < table.size()));
    if (line.empty() || line.front() == '#') continue;
    std::vector<std::string_view> words;
    while (true) {
      const std::size_t space = line.find(' ');
      words.push_back(line.substr(0, space));
      if (space == std::string_view::npos) break;
      line.remove_prefix(space + 1);
    }
    take(words);
  }
}

inline long table_number(std::string_view word, int base) {
  long value = 0;
  std::from_chars(word.data(), word.data() + word.size(), value, base);
  return value;
}

}  // namespace palisade
