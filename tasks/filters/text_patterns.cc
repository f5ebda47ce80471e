#include "tasks/filters/text_patterns.h"

#include <re2/re2.h>

#include <algorithm>

#include "base/format.h"
#include "base/utf8.h"

namespace palisade {
namespace {

constexpr std::size_t kMaxExpression = 4096;
constexpr std::size_t kMaxWord = 200;
constexpr std::size_t kMaxWords = 20'000;
// Of a list, in one expression: what RE2 remembers of a search stays within its memory.
constexpr std::size_t kWordsAtOnce = 500;
constexpr std::int64_t kMemory = 64 << 20;

constexpr char kBefore[] = R"((?:^|[^\p{L}\p{M}\p{N}]))";
constexpr char kAfter[] = R"((?:$|[^\p{L}\p{M}\p{N}]))";
constexpr char kUnspaced[] = R"([\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}])";

RE2::Options options() {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMemory);
  return options;
}

// "a  b" as an expression that white space of any kind and length fits.
std::string expression_of(const std::string& word) {
  std::string expression;
  for (std::size_t at = 0; at < word.size();) {
    const std::size_t end = std::min(word.find(' ', at), word.size());
    if (!expression.empty()) expression += R"([\s\p{Z}]+)";
    expression += RE2::QuoteMeta(word.substr(at, end - at));
    at = std::min(word.find_first_not_of(' ', end), word.size());
  }
  return expression;
}

std::string trimmed(std::string_view line) {
  const std::size_t first = line.find_first_not_of(" \r"), last = line.find_last_not_of(" \r");
  return first == std::string_view::npos ? "" : std::string(line.substr(first, last - first + 1));
}

std::string fault_of(const std::string& word) {
  if (!valid_utf8(word)) return "no UTF-8; save the list as UTF-8";
  if (word.starts_with("\xef\xbb\xbf")) return "a byte order mark; save as UTF-8 without one";
  if (std::ranges::any_of(word, [](unsigned char c) { return c < 0x20 || c == 0x7f; }))
    return "a control character; remove it";
  if (word.size() > kMaxWord) return "longer than 200 bytes; a line is one word or phrase";
  return {};
}

}  // namespace

struct TextPatterns::Pattern {
  Pattern(const std::string& its_name, const std::string& text, int its_group, CandidateCheck its_check)
      : name(its_name), expression(text, options()), group(its_group), check(its_check) {}

  std::string name;
  RE2 expression;
  int group;  // what counts of a match: 0 all of it, 1 its first group
  CandidateCheck check;
};

TextPatterns::TextPatterns() = default;
TextPatterns::~TextPatterns() = default;
TextPatterns::TextPatterns(TextPatterns&&) noexcept = default;
TextPatterns& TextPatterns::operator=(TextPatterns&&) noexcept = default;

void TextPatterns::add_compiled(const std::string& name, const std::string& expression, int group,
                                CandidateCheck check) {
  auto pattern = std::make_unique<Pattern>(name, expression, group, check);
  if (!pattern->expression.ok())
    throw PatternError("not a pattern that RE2 reads: " + pattern->expression.error());
  if (RE2::PartialMatch("", pattern->expression))
    throw PatternError("is found in empty text, and so in every text; let it need a character");
  patterns_.push_back(std::move(pattern));
}

void TextPatterns::add(const std::string& name, const std::string& expression) {
  if (expression.size() > kMaxExpression) throw PatternError("longer than 4096 bytes");
  add_compiled(name, expression, 0, nullptr);
}

void TextPatterns::add_whole(const std::string& name, const std::string& expression, CandidateCheck check) {
  add_compiled(name, kBefore + ("(" + expression + ")") + kAfter, 1, check);
}

void TextPatterns::add_words(const std::string& name, const std::vector<std::string>& words) {
  const RE2 unspaced(kUnspaced, options());
  for (std::size_t first = 0; first < words.size(); first += kWordsAtOnce) {
    std::string spaced_words, other_words;
    for (std::size_t i = first; i < std::min(first + kWordsAtOnce, words.size()); ++i) {
      std::string& some = RE2::PartialMatch(words[i], unspaced) ? other_words : spaced_words;
      some += (some.empty() ? "(?i:" : "|") + expression_of(words[i]);
    }
    if (!spaced_words.empty()) add_whole(name, spaced_words + ")");
    if (!other_words.empty()) add_compiled(name, other_words + ")", 0, nullptr);
  }
}

std::vector<TextMatch> TextPatterns::find(std::string_view text) const {
  const re2::StringPiece whole(text.data(), text.size());
  std::vector<TextMatch> found;
  for (const auto& pattern : patterns_) {
    re2::StringPiece groups[2];
    for (std::size_t from = 0;
         from <= text.size() &&
         pattern->expression.Match(whole, from, text.size(), RE2::UNANCHORED, groups, pattern->group + 1);) {
      const re2::StringPiece& group = groups[pattern->group];
      const auto offset = std::size_t(group.data() - text.data());
      const std::size_t length = pattern->check ? pattern->check({group.data(), group.size()}) : group.size();
      if (length > 0) found.push_back({pattern->name, offset, length});
      from = offset + std::max<std::size_t>(length, 1);
    }
  }
  return found;
}

std::vector<std::string> words_of(std::string_view list, const std::string& what) {
  std::vector<std::string> words;
  int number = 0;
  while (!list.empty()) {
    const std::size_t end = std::min(list.find('\n'), list.size());
    const std::string word = trimmed(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
    ++number;
    const std::string place = format("{}:{}: ", what, number);
    if (const std::string fault = fault_of(word); !fault.empty()) throw PatternError(place + fault);
    if (word.empty() || word.front() == '#') continue;
    if (words.size() == kMaxWords) throw PatternError(place + "more than 20,000 words; split the list");
    words.push_back(word);
  }
  if (words.empty()) throw PatternError(what + ": holds no word");
  return words;
}

}  // namespace palisade
