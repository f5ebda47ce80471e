#include "tasks/metrics/ptb_tokenizer.h"

#include <algorithm>
#include <array>

#include "base/joined.h"
#include "tasks/metrics/ptb_characters.h"
#include "tasks/metrics/ptb_rules.h"
#include "tasks/metrics/python_text.h"

namespace palisade {
namespace {

constexpr char32_t kUnbreakable = 0xa0;

// What pycocoevalcap takes away. The names of brackets are in capitals, and so brackets stay.
constexpr std::array<std::string_view, 18> kPunctuation = {
    "''", "'", "``", "`", "-LRB-", "-RRB-", "-LCB-", "-RCB-", ".", "?", "!", ",", ":", "-", "--", "...", ";"};

std::string in_ascii(std::u32string_view characters) {
  std::string text;
  for (const char32_t character : characters) {
    const std::string_view form = ptb_other_form(character);
    text += form.empty() ? utf8_of(std::u32string_view(&character, 1)) : std::string(form);
  }
  return text;
}

// Of an ending: its apostrophe may be written as an entity.
std::string straight(std::u32string_view characters) {
  std::string text = in_ascii(characters);
  const std::size_t entity = python_lower(text).find("&apos;");
  if (entity != std::string::npos) text.replace(entity, 6, "'");
  return text;
}

std::string without_soft_hyphens(std::u32string_view characters) {
  std::u32string text(characters);
  std::erase(text, U'\u00ad');
  return utf8_of(text);
}

std::string joined_characters(std::u32string_view characters) {
  std::string text;
  for (const char32_t character : characters) {
    if (character == U'(') {
      text += "-lrb-";
    } else if (character == U')') {
      text += "-rrb-";
    } else {
      text += utf8_of(std::u32string_view(character == U' ' ? &kUnbreakable : &character, 1));
    }
  }
  return text;
}

std::string token_of(const PtbMatch& match, std::u32string_view characters) {
  switch (match.form) {
    case PtbForm::kAsWritten:
      return utf8_of(characters);
    case PtbForm::kWord:
      return without_soft_hyphens(characters);
    case PtbForm::kStraight:
      return straight(characters);
    case PtbForm::kJoined:
      return joined_characters(characters);
    case PtbForm::kQuotes:
    case PtbForm::kOtherForm:
      return in_ascii(characters);
    case PtbForm::kText:
      return std::string(match.text);
    case PtbForm::kDropped:
      break;
  }
  return "";
}

// Whether Java's text boundaries keep a character in one word with those beside it.
bool joins_word(char32_t point) {
  constexpr std::u32string_view kInside = U"-\u2010\u2011'.\u00ad";
  const bool ideograph = (point >= 0x2e80 && point <= 0x9fff) || (point >= 0xf900 && point <= 0xfaff);
  return kInside.find(point) != std::u32string_view::npos || (is_python_word(point) && !ideograph);
}

// As Java's toLowerCase(): a sigma ends a word where a letter with case stands before it in that word, and
// none after it.
bool ends_java_word(std::u32string_view token, std::size_t at) {
  bool before = false;
  for (std::size_t i = at; i > 0 && joins_word(token[i - 1]); --i) before = before || is_cased(token[i - 1]);
  for (std::size_t i = at + 1; i < token.size() && joins_word(token[i]); ++i)
    before = before && !is_cased(token[i]);
  return before;
}

std::string lower_token(const std::string& token) {
  constexpr char32_t kCapitalSigma = U'\u03a3';
  std::u32string characters = code_points_of(token);
  for (std::size_t i = 0; i < characters.size(); ++i) {
    if (characters[i] == kCapitalSigma) characters[i] = ends_java_word(characters, i) ? U'\u03c2' : U'\u03c3';
  }
  return python_lower(utf8_of(characters));
}

bool ends_line(char32_t point) {
  return (point >= U'\n' && point <= U'\r') || point == U'\u2028' || point == U'\u2029';
}

}  // namespace

std::vector<std::string> ptb_tokens(std::string_view line) {
  const PtbText text = ptb_text(line);
  std::vector<std::string> tokens;
  for (std::size_t at = 0; at + 1 < text.kinds.size();) {
    const PtbMatch match = match_ptb_rules(std::string_view(text.kinds).substr(at));
    const std::size_t size = std::min(match.size, text.kinds.size() - 1 - at);
    std::string token = token_of(match, std::u32string_view(text.characters).substr(at, size));
    if (!token.empty()) tokens.push_back(lower_token(token));
    at += size;
  }
  return tokens;
}

bool has_line_break(std::string_view caption) {
  return std::ranges::any_of(code_points_of(caption), ends_line);
}

std::string caption_tokens(std::string_view caption) {
  std::u32string line = code_points_of(caption);
  for (char32_t& point : line) {
    if (ends_line(point)) point = U' ';
  }
  std::vector<std::string> tokens = ptb_tokens(utf8_of(line));
  // Its output is stripped at the end before it is split at spaces.
  if (!tokens.empty()) {
    std::u32string last = code_points_of(tokens.back());
    while (!last.empty() && is_python_space(last.back())) last.pop_back();
    tokens.back() = utf8_of(last);
  }
  std::erase_if(tokens, [](const std::string& token) {
    return std::ranges::find(kPunctuation, token) != kPunctuation.end();
  });
  return joined(tokens, " ");
}

}  // namespace palisade
