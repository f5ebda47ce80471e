#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace palisade {

// A match of `length` bytes at `offset`.
struct TextMatch {
  std::string_view pattern;  // name of the pattern, valid as long as the TextPatterns
  std::size_t offset = 0;
  std::size_t length = 0;
};

// Checks a candidate: the number of its first bytes that are a real match; 0: none.
using CandidateCheck = std::size_t (*)(std::string_view candidate);

// A pattern or list of words that cannot be used; what() says why.
class PatternError : public Error {
  using Error::Error;
};

// Named patterns that are looked for in UTF-8 of untrusted origin and any length: on a bounded stack, in time
// that grows as the text does (RE2). Immutable once filled; any thread may find.
class TextPatterns {
 public:
  TextPatterns();
  ~TextPatterns();
  TextPatterns(TextPatterns&&) noexcept;
  TextPatterns& operator=(TextPatterns&&) noexcept;

  // `expression` is RE2's (https://github.com/google/re2/wiki/Syntax). Throws PatternError, also for one that
  // is found in empty text, and so in every text.
  void add(const std::string& name, const std::string& expression);
  // The same, only where no letter or digit is adjacent.
  void add_whole(const std::string& name, const std::string& expression, CandidateCheck check = nullptr);
  // Words and phrases, whatever their case; white space of a phrase is any white space. Whole words alone,
  // but of scripts that put no space between words.
  void add_words(const std::string& name, const std::vector<std::string>& words);

  // All matches, in the order of the patterns, then of the text.
  std::vector<TextMatch> find(std::string_view text) const;

 private:
  struct Pattern;
  void add_compiled(const std::string& name, const std::string& expression, int group, CandidateCheck check);
  std::vector<std::unique_ptr<Pattern>> patterns_;
};

// The words and phrases of a list: one a line, a line that begins with # is a remark. Throws PatternError,
// which begins with `what` and the line, for what is no UTF-8, for control characters and for too much.
std::vector<std::string> words_of(std::string_view list, const std::string& what);

}  // namespace palisade
