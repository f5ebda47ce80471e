#include "tasks/filters/personal_data.h"

#include <doctest/doctest.h>

#include <algorithm>

using namespace palisade;

namespace {

using Texts = std::vector<std::string>;

Texts found(std::string_view kind, const std::string& text) {
  TextPatterns patterns;
  add_personal_data(patterns, std::string(kind), kind);
  Texts all;
  for (const TextMatch& match : patterns.find(text)) {
    CHECK(match.pattern == kind);
    all.push_back(text.substr(match.offset, match.length));
  }
  return all;
}

void each_is_found(std::string_view kind, const Texts& texts) {
  for (const std::string& text : texts) {
    CAPTURE(text);
    // Other patterns of the same kind may find a part of it again.
    const Texts alone = found(kind, text), inside = found(kind, "it says " + text + ", I think");
    CHECK(std::ranges::find(alone, text) != alone.end());
    CHECK(inside == alone);
  }
}

void none_is_found(std::string_view kind, const Texts& texts) {
  for (const std::string& text : texts) {
    CAPTURE(text);
    CHECK(found(kind, text).empty());
  }
}

}  // namespace

TEST_CASE("the kinds of personal data are the published ones") {
  CHECK(personal_data_kinds() ==
        std::vector<std::string_view>{"email", "phone", "card", "plate", "identity"});
}

TEST_CASE("e-mail addresses are found, and nothing that only has an at sign") {
  each_is_found("email", {"a.b+c@example.org", "x@sub.example.co.uk", "j\xc3\xbcrgen@m\xc3\xbcller.de"});
  none_is_found("email", {"meet @ noon", "user@localhost", "@home", "a@b.", "3 @ 4.50"});
}

TEST_CASE("phone numbers are found, and neither dates nor years nor sizes") {
  each_is_found("phone", {"+49 30 1234567", "+1-212-555-0123", "0049 30 1234567", "030 1234567",
                          "01 23 45 67 89", "01.23.45.67.89", "0171/1234567", "212-555-0123"});
  CHECK(found("phone", "call (212) 555-0123.") == Texts{"(212) 555-0123"});
  CHECK(found("phone", "+44 (0)20 7946 0123").at(0) == "+44 (0)20 7946 0123");
  none_is_found("phone", {"2024", "01.02.2024", "01.02.2024 10", "2024-01-02", "1920 x 1080", "0.1234567890",
                          "10:15:00", "1 000 000 000", "224 448 896", "+5", "00:15"});
}

TEST_CASE("cards are found by issuer, length and check digit, with what follows left out") {
  each_is_found("card", {"4111 1111 1111 1111", "4111111111111111", "5555-5555-5555-4444",
                         "3782 822463 10005", "2223003122003222", "6011111111111117", "30569309025904"});
  CHECK(found("card", "4111 1111 1111 1111 12") == Texts{"4111 1111 1111 1111"});
  CHECK(found("card", "12 4111 1111 1111 1111") == Texts{"4111 1111 1111 1111"});
  none_is_found("card", {"4111 1111 1111 1112", "1234 5678 9012 3456", "0000000000000000", "9111111111111119",
                         "41111111111111111111", "4111"});
}

TEST_CASE("number plates of the named countries are found, and words and sizes are none") {
  each_is_found("plate", {"B-AB 1234", "M XY 123E", "AB12 CDE", "AB-123-CD", "AB 123 CD", "1234 BCD",
                          "GZ-123-K", "7ABC123", "ABC-1234", "ABC1D23", "KA 01 AB 1234"});
  CHECK(found("plate",
              "\xe4\xba\xac"
              "A\xc2\xb7"
              "12345")
            .size() == 1);
  none_is_found("plate", {"a red car", "1920 x 1080", "I AM 5", "2024", "ISO 9001", "COVID-19", "16 GB"});
}

TEST_CASE("identity numbers are found where their check digits fit") {
  each_is_found("identity", {"123-45-6789", "AB 12 34 56 C", "12345678Z", "X1234567L", "RSSMRA85T10A562S",
                             "529.982.247-25", "11010519491231002X", "255081416802538"});
  none_is_found("identity", {"000-45-6789", "666-12-1234", "12345678A", "X1234567A", "529.982.247-26",
                             "110105194912310021", "255081416802539", "2024-01-02"});
}

TEST_CASE("a megabyte of digits, signs or letters is no trouble") {
  const std::string parts[] = {"0", "1 ", "01 ", "+1", "a@", "a.", "A", "A-", "4111 ", "(0", "\xe4\xba\xac"};
  for (const std::string& part : parts) {
    CAPTURE(part);
    std::string text;
    while (text.size() < (std::size_t(1) << 20)) text += part;
    for (const std::string_view kind : personal_data_kinds()) {
      TextPatterns patterns;
      add_personal_data(patterns, "any", kind);
      for (const TextMatch& match : patterns.find(text)) {
        REQUIRE(match.length > 0);
        REQUIRE(match.offset + match.length <= text.size());
      }
    }
  }
}
