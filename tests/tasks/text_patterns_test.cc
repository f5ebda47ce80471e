#include "tasks/filters/text_patterns.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "base/format.h"

using namespace palisade;

namespace {

// The findings of the patterns as text.
std::vector<std::string> found(const TextPatterns& patterns, const std::string& text) {
  std::vector<std::string> all;
  for (const TextMatch& match : patterns.find(text)) all.push_back(text.substr(match.offset, match.length));
  return all;
}

std::vector<std::string> words_found(const std::vector<std::string>& words, const std::string& text) {
  TextPatterns patterns;
  patterns.add_words("list", words);
  return found(patterns, text);
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("words are found whole, whatever their case, and phrases over any white space") {
  CHECK(words_found({"ass"}, "an Ass, grass, ASS-like; ass") == Texts{"Ass", "ASS", "ass"});
  CHECK(words_found({"ass"}, "assessment, class, ass2, \xc3\xa4ss") == Texts{});
  CHECK(words_found({"white power"}, "White\n  POWER") == Texts{"White\n  POWER"});
  CHECK(words_found({"ma\xc3\x9fnahme", "\xc3\x84rger"}, "viel \xc3\xa4rger") == Texts{"\xc3\xa4rger"});
  CHECK(words_found({"\xd0\xb4\xd0\xb0"}, "\xd0\x94\xd0\xb0!") == Texts{"\xd0\x94\xd0\xb0"});
  CHECK(words_found({"c++", "a.b"}, "c++ and a.b, not axb") == Texts{"c++", "a.b"});
}

TEST_CASE("words of scripts without spaces are found inside a sentence") {
  CHECK(words_found({"\xe8\x84\x8f\xe8\xaf\x9d"},
                    "\xe8\xbf\x99\xe6\x98\xaf\xe8\x84\x8f\xe8\xaf\x9d\xe3\x80\x82") ==
        Texts{"\xe8\x84\x8f\xe8\xaf\x9d"});
}

TEST_CASE("two finds that one character parts are both found") {
  CHECK(words_found({"red"}, "red red,red") == Texts{"red", "red", "red"});
}

TEST_CASE("a long list finds each of its words and no other") {
  std::vector<std::string> words;
  for (int i = 0; i < 2345; ++i) words.push_back(format("word{}x", i));
  CHECK(words_found(words, "word0x word499x word500x word2344x word2345x") ==
        Texts{"word0x", "word499x", "word500x", "word2344x"});
}

TEST_CASE("a pattern that cannot be used is refused with its reason") {
  TextPatterns patterns;
  CHECK_THROWS_WITH_AS(patterns.add("a", "(b"), doctest::Contains("missing )"), PatternError);
  CHECK_THROWS_WITH_AS(patterns.add("a", "b*"), doctest::Contains("empty text"), PatternError);
  CHECK_THROWS_WITH_AS(patterns.add("a", "(?=b)"), doctest::Contains("RE2"), PatternError);
  CHECK_THROWS_AS(patterns.add("a", std::string(5000, 'a')), PatternError);
  CHECK_THROWS_AS(patterns.add("a", "((a{100}){100}){100}"), PatternError);
  CHECK_THROWS_AS(patterns.add("a", "a\xff"), PatternError);
  CHECK(patterns.find("anything").empty());
}

TEST_CASE("a boundary alone is found nowhere, not for ever") {
  TextPatterns patterns;
  patterns.add("edge", "\\b");
  CHECK(patterns.find("a b").empty());
}

TEST_CASE("hostile text costs time as it is long, and no stack") {
  TextPatterns patterns;
  patterns.add("nested", "(a+)+$x|(a|aa)+b");
  patterns.add_words("words", {"a b c d e f g h", "aaaa"});
  const std::string text(std::size_t(1) << 20, 'a');
  CHECK(patterns.find(text).empty());
  std::string spaced;
  while (spaced.size() < text.size()) spaced += "a b c d e f g ";
  CHECK(patterns.find(spaced).empty());
}

TEST_CASE("a list of words is read a line a word, remarks and white space apart") {
  CHECK(words_of("# unsafe\nfoo\r\n  bar baz \n\n", "l") == Texts{"foo", "bar baz"});
  CHECK(words_of("last", "l") == Texts{"last"});
}

TEST_CASE("a list of words that is none is refused by its line") {
  CHECK_THROWS_WITH_AS(words_of("", "l.txt"), doctest::Contains("l.txt: holds no word"), PatternError);
  CHECK_THROWS_WITH_AS(words_of("# only\n", "l.txt"), doctest::Contains("holds no word"), PatternError);
  CHECK_THROWS_WITH_AS(words_of("a\n\xff\xfe\n", "l.txt"), doctest::Contains("l.txt:2: no UTF-8"),
                       PatternError);
  CHECK_THROWS_WITH_AS(words_of("\xef\xbb\xbf"
                                "a\n",
                                "l.txt"),
                       doctest::Contains("byte order mark"), PatternError);
  CHECK_THROWS_WITH_AS(words_of("a\nb\tc\n", "l.txt"), doctest::Contains("l.txt:2: a control"), PatternError);
  CHECK_THROWS_WITH_AS(words_of(std::string("a\0b\n", 4), "l.txt"), doctest::Contains("control"),
                       PatternError);
  CHECK_THROWS_WITH_AS(words_of(std::string(300, 'a'), "l.txt"), doctest::Contains("longer"), PatternError);
  std::string many;
  for (int i = 0; i < 20'001; ++i) many += "w\n";
  CHECK_THROWS_WITH_AS(words_of(many, "l.txt"), doctest::Contains("l.txt:20001: more than"), PatternError);
}
