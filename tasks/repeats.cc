#include "tasks/repeats.h"

#include <cctype>

#include "base/eigen.h"

namespace palisade {

std::string words_alone(std::string_view text) {
  std::string words;
  bool gap = false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && std::isalnum(byte) == 0) {
      gap = !words.empty();
      continue;
    }
    if (gap) words += ' ';
    gap = false;
    words += byte < 0x80 ? char(std::tolower(byte)) : c;
  }
  return words;
}

double likeness_of(std::span<const float> one, std::span<const float> other) {
  if (one.empty() || one.size() != other.size()) return 0;
  return double((array_of(one) * array_of(other)).sum());
}

}  // namespace palisade
