#include "tasks/metrics/ptb_tokenizer.h"

#include <doctest/doctest.h>

#include <random>

#include "base/format.h"
#include "base/utf8.h"
#include "tests/tasks/metric_cases.h"

using namespace palisade;

namespace {

const std::filesystem::path kCaptions = "captions";

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

std::string text_of(char32_t character) {
  std::string text;
  append_utf8(text, character);
  return text;
}

}  // namespace

TEST_CASE("captions become the tokens of CoreNLP on every recorded text") {
  const std::vector<Json> cases = case_lines(kCaptions / "tokenizer.jsonl");
  CHECK(cases.size() == 1682);
  for (const Json& line : cases) {
    // The only text whose recorded tokens depend on the next line of the file, which begins with "The".
    if (line.at("text") == "A 20°C.") continue;
    INFO(line.dump());
    CHECK(caption_tokens(line.at("text").get<std::string>()) == line.at("tokens"));
  }
}

TEST_CASE("every character of the basic plane is a letter, a token or nothing as in CoreNLP") {
  const Json recorded = read_json(kMetricCases / kCaptions / "characters.json");
  std::map<int, Json> results;
  for (const Json& kind : recorded.at("classes")) results[kind.at("n").get<int>()] = kind.at("results");
  int characters = 0, different = 0;
  for (const Json& range : recorded.at("ranges_first_last_class")) {
    for (char32_t c = range[0].get<char32_t>(); c <= range[1].get<char32_t>(); ++c) {
      if (c >= 0xd800 && c < 0xe000) continue;  // half of a character
      const std::string written = text_of(c);
      for (std::size_t place = 0; place < 4; ++place) {
        const std::string line = replaced(recorded.at("places")[place].get<std::string>(), "{}", written);
        const std::string expected = results.at(range[2].get<int>())[place].get<std::string>();
        const std::string found = caption_tokens(line);
        // What stands for the character is its lower case.
        std::string any = expected;
        const std::size_t box = any.find("□");
        bool equal = box == std::string::npos ? found == any : false;
        if (box != std::string::npos) {
          const std::string before = any.substr(0, box), after = any.substr(box + std::string("□").size());
          equal = found.starts_with(before) && found.ends_with(after) &&
                  found.size() > before.size() + after.size();
        }
        different += !equal;
        if (!equal && different < 20) {
          INFO(format("U+{:04X} {} -> {}, not {}", unsigned(c), line, found, expected));
          CHECK(equal);
        }
      }
      ++characters;
    }
  }
  CHECK(different == 0);
  CHECK(characters > 60'000);
}

TEST_CASE("a full stop stays with the abbreviations with which CoreNLP keeps it") {
  const Json recorded = read_json(kMetricCases / kCaptions / "abbreviations.json");
  int words = 0;
  for (const Json& kind : recorded.at("kept")) {
    const std::string pattern = kind.at("pattern").get<std::string>();
    for (const Json& word : kind.at("words")) {
      ++words;
      for (std::size_t place = 0; place < pattern.size(); ++place) {
        const std::string stop = word.get<std::string>() + ".";
        const std::string line = replaced(recorded.at("places")[place].get<std::string>(), "{}", stop);
        const std::string lower = caption_tokens("x " + word.get<std::string>()).substr(2);
        INFO(line << " -> " << caption_tokens(line));
        CHECK((caption_tokens(line + " ").find(" " + lower + ". ") != std::string::npos ||
               caption_tokens(line).ends_with(" " + lower + ".")) == (pattern[place] == '1'));
      }
    }
  }
  CHECK(words == 1468);
}

TEST_CASE("what ends a line in CoreNLP is a space within a caption") {
  for (const std::string end : {"\n", "\r", "\r\n", "\v", "\f", "\u2028", "\u2029"})
    CHECK(caption_tokens("a red" + end + "bus" + end) == "a red bus");
}

TEST_CASE("any text is tokenised in time that grows as it does, and its tokens hold no space") {
  const auto seed = std::random_device()();
  MESSAGE("seed " << seed);
  std::mt19937 draws(seed);
  for (const std::string part :
       {"a", ".", "'", "-", "<", "@", "a.", "a@", "1,", "<a ", "&", "’", "((", "a-", "J. ", "http://"}) {
    std::string text;
    while (text.size() < 30'000) text += part;
    CHECK(ptb_tokens(text).size() <= text.size());
  }
  for (int i = 0; i < 500; ++i) {
    std::string text;
    for (int k = 0; k < 40; ++k)
      append_utf8(text, draws() % 3 == 0 ? 0xe000 + draws() % 0x1000 : 1 + draws() % 0x7ff);
    for (const std::string& token : ptb_tokens(text)) {
      CHECK(!token.empty());
      CHECK(token.find(' ') == std::string::npos);
    }
  }
}
