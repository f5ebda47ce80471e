#include "service/transfer/line_mistakes.h"

#include <doctest/doctest.h>

#include <string>

using namespace palisade;

namespace {

// Converts a text to another encoding.
std::string wide(const std::string& text, std::size_t bytes, std::size_t place) {
  std::string out;
  for (const char c : text) {
    std::string one(bytes, '\0');
    one[place] = c;
    out += one;
  }
  return out;
}

constexpr char kLine[] = R"({"image": "a.png", "prefix": "caption en", "suffix": "a car"})";

}  // namespace

TEST_CASE("a file in another encoding is named, with its mark and without") {
  const std::string line = kLine;
  CHECK(file_mistake(wide(line, 2, 0)).find("UTF-16 (little") != std::string::npos);
  CHECK(file_mistake(wide(line, 2, 1)).find("UTF-16 (big") != std::string::npos);
  CHECK(file_mistake("\xff\xfe" + wide(line, 2, 0)).find("UTF-16 (little") != std::string::npos);
  CHECK(file_mistake("\xfe\xff" + wide(line, 2, 1)).find("UTF-16 (big") != std::string::npos);
  CHECK(file_mistake(wide(line, 4, 0)).find("UTF-32") != std::string::npos);
  CHECK(file_mistake(wide(line, 4, 3)).find("UTF-32") != std::string::npos);
  CHECK(file_mistake("\xef\xbb\xbf" + line).empty());
  CHECK(file_mistake("\n \n" + line + "\n").empty());
}

TEST_CASE("quotes, commas and words of other languages are named only outside of quoted text") {
  for (const char* const good :
       {kLine, R"({"a": "it's, ] } None // # {'x'"})", R"({"a": "\", ]", "b": [1, 2]})", "{}"})
    CHECK(line_mistake(good, false).empty());
  const auto told = [](const char* line) { return line_mistake(line, false); };
  CHECK(told("{'a': 'b'}").find("single quotes") != std::string::npos);
  CHECK(told(R"({"a": 'b'})").find("single quotes") != std::string::npos);
  CHECK(told(R"({"a": ["b", ]})").find("comma before") != std::string::npos);
  CHECK(told(R"({"a": "b"},)").find("comma after") != std::string::npos);
  CHECK(told(R"({"a": True})").find("Python") != std::string::npos);
  CHECK(told(R"({"a": 1} {"a": 2})").find("more than one object") != std::string::npos);
  CHECK(told("{").find("pretty-printed") != std::string::npos);
  CHECK(line_mistake(R"({"a": "b)", true).find("cut off") != std::string::npos);
  CHECK(told("7").find("no JSON object") != std::string::npos);
}
