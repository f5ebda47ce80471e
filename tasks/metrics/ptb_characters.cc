#include "tasks/metrics/ptb_characters.h"

#include <algorithm>
#include <array>
#include <map>

#include "tasks/metrics/python_text.h"
#include "tasks/metrics/table_lines.h"
#include "tasks/metrics/tables.h"

namespace palisade {
namespace {

struct KindRange {
  char32_t first = 0;
  char32_t last = 0;
  char kind = 0;
};

struct SpecialCharacter {
  char32_t character;
  char kind;
  std::string_view form = "";
};

// Those that have rules of their own.
constexpr auto kSpecial = std::to_array<SpecialCharacter>({{0x7f, kPtbUnknown},
                                                           {0x80, kPtbCurrency, "$"},
                                                           {0x85, kPtbEllipsis},
                                                           {0x91, kPtbOpenQuote, "`"},
                                                           {0x92, kPtbApostrophe, "'"},
                                                           {0x93, kPtbQuote, "``"},
                                                           {0x94, kPtbQuote, "''"},
                                                           {0x96, kPtbDash},
                                                           {0x97, kPtbDash},
                                                           {0xa0, kPtbNoBreak},
                                                           {0xa2, kPtbCurrency, "cents"},
                                                           {0xa3, kPtbCurrency, "#"},
                                                           {0xa4, kPtbCurrency, "$"},
                                                           {0xab, kPtbQuote, "``"},
                                                           {0xad, kPtbSoftHyphen},
                                                           {0xb2, kPtbRaised},
                                                           {0xb3, kPtbRaised},
                                                           {0xb9, kPtbRaised},
                                                           {0xbb, kPtbQuote, "''"},
                                                           {0xbc, kPtbFraction, "1/4"},
                                                           {0xbd, kPtbFraction, "1/2"},
                                                           {0xbe, kPtbFraction, "3/4"},
                                                           {0x58a, kPtbHyphen},
                                                           {0x66b, kPtbArabicPoint},
                                                           {0x66c, kPtbArabicPoint},
                                                           {0x2010, kPtbHyphen},
                                                           {0x2011, kPtbHyphen},
                                                           {0x2013, kPtbDash},
                                                           {0x2014, kPtbDash},
                                                           {0x2015, kPtbDash},
                                                           {0x2018, kPtbOpenQuote, "`"},
                                                           {0x2019, kPtbApostrophe, "'"},
                                                           {0x201a, kPtbLowQuote},
                                                           {0x201b, kPtbOpenQuote, "`"},
                                                           {0x201c, kPtbQuote, "``"},
                                                           {0x201d, kPtbQuote, "''"},
                                                           {0x201e, kPtbLowQuote},
                                                           {0x201f, kPtbLowQuote},
                                                           {0x2026, kPtbEllipsis},
                                                           {0x2039, kPtbQuote, "`"},
                                                           {0x203a, kPtbQuote, "'"},
                                                           {0x2044, kPtbFractionSlash},
                                                           {0x2070, kPtbRaised},
                                                           {0x207a, kPtbRaisedSign},
                                                           {0x207b, kPtbRaisedSign},
                                                           {0x208a, kPtbRaisedSign},
                                                           {0x208b, kPtbRaisedSign},
                                                           {0x20a0, kPtbCurrency, "$"},
                                                           {0x20ac, kPtbCurrency, "$"},
                                                           {0x2153, kPtbFraction, "1/3"},
                                                           {0x2154, kPtbFraction, "2/3"},
                                                           {0x3000, kPtbSpace},
                                                           {0x3001, kPtbComma}});

const SpecialCharacter* find_special(char32_t character) {
  const auto found = std::ranges::lower_bound(kSpecial, character, {}, &SpecialCharacter::character);
  return found != kSpecial.end() && found->character == character ? &*found : nullptr;
}

const std::vector<KindRange>& ranges() {
  static const std::vector<KindRange> kKindRanges = [] {
    const std::map<std::string_view, char> kinds = {
        {"letter", kPtbLetter}, {"mark", kPtbMark}, {"digit", kPtbDigit}, {"symbol", kPtbSymbol}};
    std::vector<KindRange> list;
    for_each_table_line(ptb_characters_table(), [&](const std::vector<std::string_view>& words) {
      list.push_back(
          {char32_t(table_number(words[1], 16)), char32_t(table_number(words[2], 16)), kinds.at(words[0])});
    });
    std::ranges::sort(list, {}, &KindRange::first);
    return list;
  }();
  return kKindRanges;
}

char kind_of(char32_t character) {
  if (character < 0x20 && character != U'\t') return kPtbUnknown;
  if (const SpecialCharacter* const special = find_special(character)) return special->kind;
  if (character < 0x80) return char(character);
  if (character >= 0x2000 && character <= 0x200a) return kPtbSpace;
  if (character >= 0x2074 && character <= 0x2079) return kPtbRaised;
  if (character >= 0x2080 && character <= 0x2089) return kPtbLowered;
  const auto after = std::ranges::upper_bound(ranges(), character, {}, &KindRange::first);
  const bool known = after != ranges().begin() && character <= std::prev(after)->last;
  return known ? std::prev(after)->kind : kPtbUnknown;
}

}  // namespace

PtbText ptb_text(std::string_view line) {
  PtbText text{.characters = code_points_of(line)};
  for (const char32_t character : text.characters) text.kinds += kind_of(character);
  text.kinds += '\n';
  text.characters += U'\n';
  return text;
}

std::string_view ptb_other_form(char32_t character) {
  const SpecialCharacter* const special = find_special(character);
  return special ? special->form : "";
}

}  // namespace palisade
