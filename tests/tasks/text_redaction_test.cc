#include "tasks/filters/text_redaction.h"

#include <doctest/doctest.h>

#include "tasks/filters/personal_data.h"

using namespace palisade;

namespace {

std::vector<std::string> all_kinds() {
  const auto kinds = personal_data_kinds();
  return {kinds.begin(), kinds.end()};
}

}  // namespace

TEST_CASE("what is personal is replaced by its kind, and the kinds are told once each") {
  const TextRedaction redaction(all_kinds(), {{"badge", "badge [0-9]+"}});
  const auto redacted = [&](std::string text) {
    const auto kinds = redaction.redact(text);
    std::string told;
    for (const std::string& kind : kinds) told += kind + " ";
    return told + "| " + text;
  };
  CHECK(redacted("a red car on the street") == "| a red car on the street");
  CHECK(redacted("write to ann@example.org or bob@example.org") == "email | write to [email] or [email]");
  CHECK(redacted("card 4111 1111 1111 1111, badge 77") == "card badge | card [card], [badge]");
  CHECK(redacted("a van B-AB 1234 calls +49 30 1234567") == "plate phone | a van [plate] calls [phone]");
  CHECK(redacted("") == "| ");
}

TEST_CASE("where matches overlap nothing of either is left") {
  const TextRedaction redaction({}, {{"one", "abcd"}, {"two", "cdef"}, {"inside", "bc"}});
  std::string text = "xabcdefx abc";
  CHECK(redaction.redact(text) == std::vector<std::string>{"one", "inside", "two"});
  CHECK(text == "x[one]x a[inside]");
}

TEST_CASE("a pattern that cannot be used is refused") {
  CHECK_THROWS_AS(TextRedaction({}, {{"x", "("}}), PatternError);
  CHECK_THROWS_AS(TextRedaction({}, {{"x", "a*"}}), PatternError);
}
