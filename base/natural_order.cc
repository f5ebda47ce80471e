#include "base/natural_order.h"

#include <algorithm>
#include <compare>

namespace palisade {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

unsigned char folded(char c) {
  return static_cast<unsigned char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

// The digits at the start of the text without leading zeros: empty for "000" and for no number.
std::string_view take_number(std::string_view& text) {
  const auto end = std::ranges::find_if_not(text, is_digit);
  std::string_view number = text.substr(0, std::size_t(end - text.begin()));
  text.remove_prefix(number.size());
  number.remove_prefix(std::min(number.find_first_not_of('0'), number.size()));
  return number;
}

std::strong_ordering compare(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    if (is_digit(a.front()) && is_digit(b.front())) {
      const std::string_view first = take_number(a);
      const std::string_view second = take_number(b);
      if (first.size() != second.size()) return first.size() <=> second.size();
      if (const auto order = first <=> second; order != 0) return order;
      continue;
    }
    if (const auto order = folded(a.front()) <=> folded(b.front()); order != 0) return order;
    a.remove_prefix(1);
    b.remove_prefix(1);
  }
  return a.size() <=> b.size();
}

std::string_view stem_of(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  return dot == std::string_view::npos || dot == 0 ? name : name.substr(0, dot);
}

}  // namespace

bool comes_before(std::string_view a, std::string_view b) {
  if (const auto order = compare(stem_of(a), stem_of(b)); order != 0) return order < 0;
  if (const auto order = compare(a, b); order != 0) return order < 0;
  return a < b;
}

}  // namespace palisade
