#include "service/transfer/mixture.h"

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <map>
#include <set>

#include "base/error.h"
#include "service/settings/settings.h"
#include "service/transfer/mixture_order.h"
#include "service/transfer/transfer_lines.h"
#include "tests/ingest/test_files.h"

using namespace palisade;

namespace {

std::vector<std::string> mixture_problems(const std::string& text) {
  try {
    read_mixture(text, "folder/mixture.yaml");
  } catch (const SettingsError& error) {
    return error.problems();
  }
  return {};
}

}  // namespace

TEST_CASE("a mixture names its parts, their weights and forms, with paths of its folder") {
  const auto parts = read_mixture(
      "parts:\n"
      "  - {data: captions.jsonl, weight: 3, prefix: caption en}\n"
      "  - {name: asked, data: /data/vqa.jsonl, prefix: 'answer en {}', evaluation: test.jsonl}\n",
      "/runs/mixture.yaml");
  REQUIRE(parts.size() == 2);
  CHECK(parts[0].name == "captions");
  CHECK(parts[0].data == "/runs/captions.jsonl");
  CHECK(parts[0].weight == 3);
  CHECK(parts[0].evaluation.empty());
  CHECK(parts[1].name == "asked");
  CHECK(parts[1].data == "/data/vqa.jsonl");
  CHECK(parts[1].weight == 1);
  CHECK(parts[1].evaluation == "/runs/test.jsonl");
  CHECK(formed_prefix(parts[1].prefix, "what is it?") == "answer en what is it?");
  CHECK(!asks_for_prefix(parts[0].prefix));
}

TEST_CASE("a mixture that cannot be drawn from is refused with file, line and column") {
  for (const char* const weight : {"0", "-1", ".nan", "nan", ".inf", "1e300", "many", "''", "[1]", "0.0"}) {
    CAPTURE(weight);
    const auto problems =
        mixture_problems("parts:\n  - {data: a.jsonl, weight: " + std::string(weight) + "}\n");
    REQUIRE(problems.size() == 1);
    CHECK(problems[0].starts_with("folder/mixture.yaml:2:"));
    CHECK(problems[0].find("weight") != std::string::npos);
  }
  for (const char* const text :
       {"", "parts:\n", "parts: []\n", "parts: captions.jsonl\n", "parts:\n  - a.jsonl\n",
        "parts:\n  - {weight: 1}\n", "parts:\n  - {data: ''}\n", "parts:\n  - {data: a.jsonl, wieght: 1}\n",
        "- {data: a.jsonl}\n", "parts:\n  - {data: a.jsonl}\n  - {data: b/a.jsonl}\n",
        "parts:\n  - {data: a.jsonl, prefix: '{} and {}'}\n", "part:\n  - {data: a.jsonl}\n"}) {
    CAPTURE(text);
    CHECK(!mixture_problems(text).empty());
  }
}

TEST_CASE("parts are drawn by their weights, each in epochs of its own, and the same from any place on") {
  const std::vector<MixtureOrder::Part> parts = {{100, 6}, {7, 3}, {1000, 1}};
  constexpr std::uint64_t kPlaces = 20'000, kBegun = 12'345;
  MixtureOrder order(parts, 5), resumed(parts, 5), other(parts, 6);
  std::vector<std::size_t> drawn;
  for (std::uint64_t place = 0; place < kPlaces; ++place) drawn.push_back(order.at(place));
  std::map<int, std::size_t> counts;
  std::multiset<std::size_t> first_epochs;
  for (const std::size_t record : drawn) {
    REQUIRE(record < 1107);
    const int part = record < 100 ? 0 : record < 107 ? 1 : 2;
    // The first 70 records of the part of 7 are ten epochs.
    if (++counts[part] <= 70 && part == 1) first_epochs.insert(record);
  }
  CHECK(std::abs(double(counts[0]) / kPlaces - 0.6) < 0.02);
  CHECK(std::abs(double(counts[1]) / kPlaces - 0.3) < 0.02);
  CHECK(std::abs(double(counts[2]) / kPlaces - 0.1) < 0.02);
  for (std::size_t record = 100; record < 107; ++record) CHECK(first_epochs.count(record) == 10);
  std::size_t differing = 0;
  for (std::uint64_t place = kBegun; place < kPlaces; ++place) {
    REQUIRE(resumed.at(place) == drawn[place]);
    differing += other.at(place) != drawn[place];
  }
  CHECK(differing > kPlaces / 4);
  CHECK(resumed.at(17) == drawn[17]);
}

TEST_CASE("one part has the order that a single file has") {
  MixtureOrder mixture({{50, 0.5}}, 9);
  ExampleOrder alone(50, 9);
  for (std::uint64_t place = 0; place < 200; ++place) REQUIRE(mixture.at(place) == alone.at(place));
}

TEST_CASE("a form makes prompts of lines, which need no prefix where it asks for none") {
  const test::TestFolder folder;
  folder.write("a.png", "");
  const std::string asked =
      folder.write("asked.jsonl", R"({"image": "a.png", "prefix": "what is it?", "suffix": "a"})"
                                  "\n"
                                  R"({"image": "a.png", "suffix": "b"})"
                                  "\n");
  LineProblems problems;
  const auto formed = read_transfer_lines(asked, problems, {.form = "answer en {}"});
  REQUIRE(formed.size() == 1);
  CHECK(formed[0].prefix == "answer en what is it?");
  CHECK(problems.size() == 1);  // the second line has none
  LineProblems none;
  const auto fixed = read_transfer_lines(asked, none, {.form = "Caption en"});
  REQUIRE(fixed.size() == 2);
  CHECK(fixed[0].prefix == "caption en");
  CHECK(fixed[1].prefix == "caption en");
  CHECK(none.empty());
}
