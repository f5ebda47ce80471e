#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace palisade {

// A line as the tokenizer's rules see it: a byte for each character. ASCII stands for itself, what is not for
// the kind of character that it is, so that a rule is a short expression of bytes.
struct PtbText {
  std::string kinds;          // ends with a line break that the line has not
  std::u32string characters;  // of the same size
};

// Bytes of PtbText::kinds beyond ASCII.
inline constexpr char kPtbLetter = '\x80';      // of any script
inline constexpr char kPtbMark = '\x81';        // joins letters of a word, and no numbers
inline constexpr char kPtbDigit = '\x82';       // beyond 0 to 9
inline constexpr char kPtbRaised = '\x83';      // superscript digits
inline constexpr char kPtbLowered = '\x84';     // subscript digits
inline constexpr char kPtbRaisedSign = '\x85';  // plus and minus of both
inline constexpr char kPtbSymbol = '\x86';      // a token of its own
inline constexpr char kPtbLowQuote = '\x87';    // tokens in ones and twos
inline constexpr char kPtbApostrophe = '\x88';  // the closing single quote
inline constexpr char kPtbOpenQuote = '\x89';   // the opening single quotes
inline constexpr char kPtbQuote = '\x8a';       // others
inline constexpr char kPtbDash = '\x8b';        // dropped
inline constexpr char kPtbEllipsis = '\x8c';    // dropped
inline constexpr char kPtbSpace = '\x8d';
inline constexpr char kPtbNoBreak = '\x8e';  // U+00A0
inline constexpr char kPtbSoftHyphen = '\x8f';
inline constexpr char kPtbHyphen = '\x90';  // beyond "-"
inline constexpr char kPtbFractionSlash = '\x91';
inline constexpr char kPtbArabicPoint = '\x92';  // between digits
inline constexpr char kPtbFraction = '\x93';     // as one character
inline constexpr char kPtbCurrency = '\x94';     // of another form
inline constexpr char kPtbComma = '\x95';        // the ideographic one
inline constexpr char kPtbUnknown = '\x96';      // dropped, and separates

PtbText ptb_text(std::string_view line);

// What a fraction, a currency or a quote becomes: "1/2", "$", "``". Empty for one that stays.
std::string_view ptb_other_form(char32_t character);

}  // namespace palisade
