#include "tasks/metrics/python_text.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <map>

#include "base/utf8.h"
#include "tasks/metrics/table_lines.h"
#include "tasks/metrics/tables.h"

namespace palisade {
namespace {

struct PointRange {
  char32_t first = 0;
  char32_t last = 0;
};

struct LowerRun {
  char32_t last = 0;
  int step = 1;
  long distance = 0;
};

// data/unicode.txt.
struct UnicodeFacts {
  std::map<std::string_view, std::vector<PointRange>> ranges;
  std::map<char32_t, LowerRun> lower;  // by first
  std::map<char32_t, std::u32string> lowers;

  UnicodeFacts() {
    for_each_table_line(unicode_table(), [&](const std::vector<std::string_view>& words) {
      const auto point = [&](std::size_t i) { return char32_t(table_number(words[i], 16)); };
      if (words[0] == "lower") {
        lower[point(1)] = {point(2), int(table_number(words[3], 10)), table_number(words[4], 10)};
      } else if (words[0] == "lowers") {
        for (std::size_t i = 2; i < words.size(); ++i) lowers[point(1)] += point(i);
      } else {
        ranges[words[0]].push_back({point(1), point(2)});
      }
    });
  }

  const PointRange* find(std::string_view name, char32_t point) const {
    const std::vector<PointRange>& list = ranges.at(name);
    const auto after = std::ranges::upper_bound(list, point, {}, &PointRange::first);
    return after != list.begin() && point <= std::prev(after)->last ? &*std::prev(after) : nullptr;
  }
  bool holds(std::string_view name, char32_t point) const { return find(name, point) != nullptr; }
};

const UnicodeFacts& facts() {
  static const UnicodeFacts kFacts;
  return kFacts;
}

constexpr char32_t kCapitalSigma = 0x3a3;

// Whether a sigma ends a word: a cased letter before it and none after it, leaving out what is ignored.
bool ends_word(std::u32string_view text, std::size_t at) {
  std::size_t before = at;
  while (before > 0 && facts().holds("ignored", text[before - 1])) --before;
  if (before == 0 || !facts().holds("cased", text[before - 1])) return false;
  std::size_t after = at + 1;
  while (after < text.size() && facts().holds("ignored", text[after])) ++after;
  return after == text.size() || !facts().holds("cased", text[after]);
}

void append_lower(std::u32string& lower, std::u32string_view text, std::size_t at) {
  const char32_t point = text[at];
  if (point < 0x80) {
    lower += point >= 'A' && point <= 'Z' ? point + 32 : point;
    return;
  }
  if (point == kCapitalSigma) {
    lower += ends_word(text, at) ? 0x3c2 : 0x3c3;
    return;
  }
  if (const auto found = facts().lowers.find(point); found != facts().lowers.end()) {
    lower += found->second;
    return;
  }
  const auto after = facts().lower.upper_bound(point);
  if (after != facts().lower.begin()) {
    const auto& [first, run] = *std::prev(after);
    if (point <= run.last && (point - first) % char32_t(run.step) == 0) {
      lower += char32_t(long(point) + run.distance);
      return;
    }
  }
  lower += point;
}

std::u32string_view without_outer_spaces(std::u32string_view text) {
  while (!text.empty() && is_python_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_python_space(text.back())) text.remove_suffix(1);
  return text;
}

// As CPython prepares the text of a number: where any of it is not ASCII, white space becomes a space and
// digits those of ASCII. Nothing for what can be in no number.
std::optional<std::string> in_ascii(std::string_view text) {
  if (std::ranges::all_of(text, [](char c) { return std::uint8_t(c) < 0x80; })) return std::string(text);
  std::string ascii;
  for (const char32_t point : code_points_of(text)) {
    const auto digit = decimal_digit(point);
    if (point >= 0x80 && !digit && !is_python_space(point)) return std::nullopt;
    ascii += digit ? char('0' + *digit) : point >= 0x80 && is_python_space(point) ? ' ' : char(point);
  }
  return ascii;
}

bool digit_at(std::string_view text, std::size_t at) {
  return at < text.size() && text[at] >= '0' && text[at] <= '9';
}

// Takes "_" between digits away; nothing for one elsewhere.
std::optional<std::string> without_underscores(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      plain += text[i];
    } else if (i == 0 || !digit_at(text, i - 1) || !digit_at(text, i + 1)) {
      return std::nullopt;
    }
  }
  return plain;
}

std::size_t end_of_digits(std::string_view text, std::size_t at) {
  while (digit_at(text, at)) ++at;
  return at;
}

// Whether it is DIGITS[.DIGITS][eDIGITS] with a digit before the exponent.
bool is_decimal(std::string_view text) {
  std::size_t at = end_of_digits(text, 0);
  bool any = at > 0;
  if (at < text.size() && text[at] == '.') {
    const std::size_t end = end_of_digits(text, at + 1);
    any = any || end > at + 1;
    at = end;
  }
  if (!any) return false;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    if (!digit_at(text, at)) return false;
    at = end_of_digits(text, at);
  }
  return at == text.size();
}

// What a decimal beyond the range of doubles becomes: 0 or infinity.
double beyond_range(std::string_view text) {
  const std::size_t exponent_at = std::min(text.find_first_of("eE"), text.size());
  const std::string_view mantissa = text.substr(0, exponent_at);
  const std::size_t point = std::min(mantissa.find('.'), mantissa.size());
  const std::size_t first = mantissa.find_first_of("123456789");
  if (first == std::string_view::npos) return 0;
  long exponent = 0;
  if (exponent_at < text.size()) {
    std::string_view digits = text.substr(exponent_at + 1);
    if (digits.front() == '+') digits.remove_prefix(1);
    const bool negative = digits.front() == '-';
    if (std::from_chars(digits.data(), digits.data() + digits.size(), exponent).ec != std::errc())
      return negative ? 0 : std::numeric_limits<double>::infinity();
  }
  const long place = first < point ? long(point - first) : -long(first - point);
  return exponent > -place ? std::numeric_limits<double>::infinity() : 0;
}

}  // namespace

std::u32string code_points_of(std::string_view text) {
  std::u32string points;
  points.reserve(text.size());
  while (!text.empty()) {
    const auto point = next_code_point(text);
    if (!point) break;
    points += point->value;
    text.remove_prefix(point->bytes);
  }
  return points;
}

std::string utf8_of(std::u32string_view text) {
  std::string bytes;
  for (const char32_t point : text) append_utf8(bytes, point);
  return bytes;
}

bool is_python_space(char32_t point) {
  return facts().holds("space", point);
}
bool is_cased(char32_t point) {
  return facts().holds("cased", point);
}
bool is_python_word(char32_t point) {
  return facts().holds("word", point);
}

std::optional<int> decimal_digit(char32_t point) {
  if (point < 0x80) return point >= '0' && point <= '9' ? std::optional(int(point - '0')) : std::nullopt;
  const PointRange* const digits = facts().find("digit", point);
  return digits ? std::optional(int(point - digits->first) % 10) : std::nullopt;
}

std::string python_lower(std::string_view text) {
  const std::u32string points = code_points_of(text);
  std::u32string lower;
  for (std::size_t i = 0; i < points.size(); ++i) append_lower(lower, points, i);
  return utf8_of(lower);
}

std::string stripped(std::string_view text) {
  return utf8_of(without_outer_spaces(code_points_of(text)));
}

std::vector<std::string> words_at_spaces(std::string_view text) {
  std::vector<std::string> words;
  bool inside = false;
  for (const char32_t point : code_points_of(text)) {
    if (is_python_space(point)) {
      inside = false;
      continue;
    }
    if (!inside) words.emplace_back();
    inside = true;
    append_utf8(words.back(), point);
  }
  return words;
}

std::optional<double> python_float(std::string_view text) {
  std::optional<std::string> ascii = in_ascii(text);
  if (!ascii) return std::nullopt;
  constexpr std::string_view kSpaces = " \t\n\v\f\r";
  const std::size_t first = ascii->find_first_not_of(kSpaces);
  if (first == std::string::npos) return std::nullopt;
  ascii = without_underscores(ascii->substr(first, ascii->find_last_not_of(kSpaces) + 1 - first));
  if (!ascii || ascii->empty()) return std::nullopt;
  std::string_view number = *ascii;
  const bool negative = number.front() == '-';
  if (negative || number.front() == '+') number.remove_prefix(1);
  const std::string name = number.size() <= 8 ? python_lower(number) : "";
  double value = 0;
  if (name == "inf" || name == "infinity") {
    value = std::numeric_limits<double>::infinity();
  } else if (name == "nan") {
    value = std::numeric_limits<double>::quiet_NaN();
  } else if (!is_decimal(number)) {
    return std::nullopt;
  } else if (std::from_chars(number.data(), number.data() + number.size(), value).ec != std::errc()) {
    value = beyond_range(number);
  }
  return negative ? -value : value;
}

}  // namespace palisade
