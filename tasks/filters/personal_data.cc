#include "tasks/filters/personal_data.h"

#include <algorithm>
#include <array>
#include <string>

namespace palisade {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string digits_of(std::string_view text) {
  std::string digits;
  std::ranges::copy_if(text, std::back_inserter(digits), is_digit);
  return digits;
}

int number_of(std::string_view digits) {
  int number = 0;
  for (const char c : digits) number = 10 * number + (c - '0');
  return number;
}

std::size_t all_if(bool good, std::string_view text) {
  return good ? text.size() : 0;
}

// An issuer's first digits, from and to, and the lengths of its numbers.
struct Issuer {
  int from, to, digits, shortest, longest;
};
constexpr Issuer kIssuers[] = {{4, 4, 1, 13, 19},     {51, 55, 2, 16, 16}, {2221, 2720, 4, 16, 16},
                               {34, 34, 2, 15, 15},   {37, 37, 2, 15, 15}, {300, 305, 3, 14, 14},
                               {36, 36, 2, 14, 19},   {38, 39, 2, 14, 19}, {6011, 6011, 4, 16, 19},
                               {644, 659, 3, 16, 19}, {35, 35, 2, 16, 19}, {62, 62, 2, 16, 19}};

bool passes_luhn(std::string_view digits) {
  int sum = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const int digit = digits[digits.size() - 1 - i] - '0';
    sum += i % 2 == 0 ? digit : digit < 5 ? 2 * digit : 2 * digit - 9;
  }
  return sum % 10 == 0;
}

bool is_card(std::string_view digits) {
  const auto issued = [&](const Issuer& issuer) {
    const int first = number_of(digits.substr(0, std::size_t(issuer.digits)));
    const int length = int(digits.size());
    return first >= issuer.from && first <= issuer.to && length >= issuer.shortest &&
           length <= issuer.longest;
  };
  return std::ranges::any_of(kIssuers, issued) && passes_luhn(digits);
}

// The longest start that is a card's number and ends where a group of digits does: a candidate may go on with
// another number.
std::size_t card_length(std::string_view text) {
  for (std::size_t length = text.size(); length >= 13; --length) {
    const bool ends = is_digit(text[length - 1]) && (length == text.size() || !is_digit(text[length]));
    if (!ends) continue;
    const std::string digits = digits_of(text.substr(0, length));
    if (digits.size() >= 13 && is_card(digits)) return length;
  }
  return 0;
}

std::size_t international_length(std::string_view text) {
  const std::size_t digits = digits_of(text).size();
  return all_if(digits >= 8 && digits <= 17, text);
}

std::size_t national_length(std::string_view text) {
  const std::size_t digits = digits_of(text).size();
  // 01.02.2024 10, 01/02/2024 and the like are dates.
  const bool date =
      text.size() >= 10 && !is_digit(text[2]) && text[2] != ' ' && text[5] == text[2] && is_digit(text[8]);
  return all_if(digits >= 9 && digits <= 12 && !date, text);
}

std::size_t ssn_length(std::string_view text) {
  const int area = number_of(text.substr(0, 3));
  return all_if(
      area != 0 && area != 666 && area < 900 && text.substr(4, 2) != "00" && text.substr(7) != "0000", text);
}

// X, Y and Z of a foreigner's number count as 0, 1 and 2.
std::size_t dni_length(std::string_view text) {
  std::string number(text.substr(0, 8));
  if (!is_digit(number[0])) number[0] = char('0' + (number[0] - 'X'));
  return all_if(text.back() == "TRWAGMYFPDXBNJZSQVHLCKE"[number_of(number) % 23], text);
}

std::size_t nir_length(std::string_view text) {
  const std::string digits = digits_of(text);
  int rest = 0;
  for (const char c : digits.substr(0, 13)) rest = (10 * rest + (c - '0')) % 97;
  return all_if(97 - rest == number_of(digits.substr(13)), text);
}

std::size_t cpf_length(std::string_view text) {
  const std::string digits = digits_of(text);
  for (std::size_t place = 9; place < 11; ++place) {
    int sum = 0;
    for (std::size_t i = 0; i < place; ++i) sum += (digits[i] - '0') * int(place + 1 - i);
    if (sum * 10 % 11 % 10 != digits[place] - '0') return 0;
  }
  return text.size();
}

// ISO 7064, MOD 11-2 (GB 11643).
std::size_t resident_length(std::string_view text) {
  int rest = 0;
  for (const char c : text.substr(0, 17)) rest = (rest + (c - '0')) * 2 % 11;
  const int check = (12 - rest) % 11;
  return all_if(check == 10 ? text[17] == 'X' || text[17] == 'x' : text[17] == char('0' + check), text);
}

struct Row {
  std::string_view kind;
  const char* expression;
  CandidateCheck check;
};
constexpr Row kRows[] = {
    {"email", R"([\p{L}\p{N}._%+\-]+@(?:[\p{L}\p{N}\-]+\.)+\p{L}{2,})", nullptr},
    {"phone", R"((?:\+|00)[1-9]\d{0,11}(?:[ ./\-]?[ (]?\d{1,12}\)?){0,6})", international_length},
    {"phone", R"(\(?0[1-9]\d{0,10}\)?(?:[ ./\-]{0,3}\d{2,8}){0,5})", national_length},
    {"phone", R"((?:1[ .\-])?\(?[2-9]\d{2}\)?[ .\-]?[2-9]\d{2}[ .\-]\d{4})", nullptr},
    {"card", R"(\d(?:[ \-]?\d){12,18})", card_length},
    {"plate", R"([A-ZÄÖÜ]{1,3}-[A-Z]{1,2} ?\d{1,4}[EH]?|[A-ZÄÖÜ]{1,3} [A-Z]{1,2} ?\d{3,4}[EH]?)", nullptr},
    {"plate", R"([A-Z]{2}\d{2} ?[A-Z]{3})", nullptr},
    {"plate", R"([A-Z]{2}[ \-]?\d{3}[ \-]?[A-Z]{2})", nullptr},
    {"plate", R"(\d{4} ?[BCDFGHJKLMNPRSTVWXYZ]{3})", nullptr},
    {"plate", R"([A-Z]{2}-\d{3}-[A-Z]|[A-Z]-\d{3}-[A-Z]{2}|\d{1,2}-[A-Z]{2,3}-\d{1,2})", nullptr},
    {"plate", R"(\d[A-Z]{3}\d{3}|[A-Z]{3}-\d{3,4}|[A-Z]{3}\d[A-Z]\d{2})", nullptr},
    {"plate", R"([A-Z]{2}[ \-]?\d{2}[ \-]?[A-Z]{1,2}[ \-]?\d{4})", nullptr},
    {"plate", R"(\p{Han}[A-Z][·• ]?[A-Z0-9]{5,6})", nullptr},
    {"identity", R"(\d{3}-\d{2}-\d{4})", ssn_length},
    {"identity", R"([A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D])", nullptr},
    {"identity", R"([XYZ\d]\d{7}-?[A-Z])", dni_length},
    {"identity", R"([A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z])", nullptr},
    {"identity", R"([12] ?\d{2} ?\d{2} ?\d{2} ?\d{3} ?\d{3} ?\d{2})", nir_length},
    {"identity", R"(\d{3}\.\d{3}\.\d{3}-\d{2})", cpf_length},
    {"identity", R"(\d{17}[\dXx])", resident_length}};

}  // namespace

std::vector<std::string_view> personal_data_kinds() {
  std::vector<std::string_view> kinds;
  for (const Row& row : kRows) {
    if (kinds.empty() || kinds.back() != row.kind) kinds.push_back(row.kind);
  }
  return kinds;
}

void add_personal_data(TextPatterns& patterns, const std::string& name, std::string_view kind) {
  for (const Row& row : kRows) {
    if (row.kind == kind) patterns.add_whole(name, row.expression, row.check);
  }
}

}  // namespace palisade
