#include "tasks/metrics/python_text.h"

#include <doctest/doctest.h>

#include <cmath>

using namespace palisade;

TEST_CASE("texts become lower case as in Python, wherever a letter's case has a rule of its own") {
  CHECK(python_lower("The CAT 12") == "the cat 12");
  CHECK(python_lower("İ") == "i\u0307");
  CHECK(python_lower("ẞ") == "ß");
  CHECK(python_lower("\u212a") == "k");
  CHECK(python_lower("ΟΔΟΣ ΣΑΣ") == "οδος σας");
  CHECK(python_lower("ΑΣ.") == "ας.");
  CHECK(python_lower("ΑΣ.Α") == "ασ.α");
  CHECK(python_lower("Σ") == "σ");
  CHECK(python_lower("ǅ Ꭰ Ა") == "ǆ ꭰ ა");
  CHECK(python_lower("\U00010400") == "\U00010428");
}

TEST_CASE("white space, digits and words are Python's in all scripts") {
  CHECK(stripped("\u3000 a\u00a0b \u2028\x1f") == "a\u00a0b");
  CHECK(words_at_spaces(" a\u2003b\x1c"
                        "c\u200b") == std::vector<std::string>{"a", "b", "c\u200b"});
  CHECK(decimal_digit(U'٣') == 3);
  CHECK(decimal_digit(U'\U0001d7ff') == 9);
  CHECK(decimal_digit(U'½') == std::nullopt);
  CHECK(is_python_word(U'猫'));
  CHECK(is_python_word(U'_'));
  CHECK_FALSE(is_python_word(U'-'));
}

TEST_CASE("numbers are those that Python's float() takes") {
  struct Case {
    std::string text;
    double value;
  };
  const double infinite = HUGE_VAL;
  for (const Case& c : {Case{"10", 10},
                        {"-.5", -.5},
                        {"5.", 5},
                        {" \t5\n", 5},
                        {"1_000.5_0e1_0", 1000.50e10},
                        {"+Infinity", infinite},
                        {"-inf", -infinite},
                        {"1e400", infinite},
                        {"-1e400", -infinite},
                        {"1e-400", 0},
                        {"0e999999999999999999999", 0},
                        {"1e-999999999999999999999", 0},
                        {"1e999999999999999999999", infinite},
                        {"٣", 3},
                        {"１２", 12},
                        {"\u20285\u0085", 5}}) {
    INFO(c.text);
    CHECK(python_float(c.text) == c.value);
  }
  CHECK(std::isnan(python_float("NaN").value_or(0)));
  for (const std::string text : {"",
                                 " ",
                                 "1,000",
                                 "$5",
                                 "5 %",
                                 "0x10",
                                 "−5",
                                 "½",
                                 "1__0",
                                 "_1",
                                 "1_",
                                 "1._5",
                                 "1_.5",
                                 ".",
                                 "e5",
                                 "5e",
                                 "5e+",
                                 "nan(1)",
                                 "infinit",
                                 "--5",
                                 "\x1c"
                                 "5",
                                 "1 2",
                                 "ınf",
                                 "1\u200b"}) {
    INFO(text);
    CHECK(python_float(text) == std::nullopt);
  }
  CHECK(python_float(std::string_view("1\0", 2)) == std::nullopt);
}
