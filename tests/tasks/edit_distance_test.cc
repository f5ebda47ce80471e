#include "tasks/metrics/edit_distance.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "tests/tasks/metric_cases.h"

using namespace palisade;

namespace {

// The table of distances row by row, as in textbooks.
std::size_t slow_distance(std::u32string_view one, std::u32string_view other) {
  std::vector<std::size_t> row(other.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 1; i <= one.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t k = 1; k <= other.size(); ++k) {
      const std::size_t replaced = diagonal + (one[i - 1] != other[k - 1]);
      diagonal = row[k];
      row[k] = std::min({row[k] + 1, row[k - 1] + 1, replaced});
    }
  }
  return row.back();
}

}  // namespace

TEST_CASE("the edit distance of any two texts is that of the whole table, also across blocks of 64") {
  const auto seed = std::random_device()();
  MESSAGE("seed " << seed);
  std::mt19937 draws(seed);
  for (int i = 0; i < 300; ++i) {
    std::u32string texts[2];
    for (std::u32string& text : texts) {
      text.resize(draws() % (i % 3 == 0 ? 300 : 20));
      for (char32_t& point : text) point = U'a' + draws() % 4;
    }
    if (i % 2 == 0) texts[1] = texts[0].substr(0, texts[0].size() / 2) + texts[1];
    CHECK(edit_distance(texts[0], texts[1]) == slow_distance(texts[0], texts[1]));
  }
}

TEST_CASE("texts of 100 KB are compared without their whole table") {
  const std::u32string one(100'000, U'a');
  std::u32string other(100'000, U'a');
  other[5] = U'b';
  CHECK(edit_distance(one, other) == 1);
}

TEST_CASE("anls equals the reference on every recorded case") {
  const std::vector<Json> cases = case_lines("anls.jsonl");
  CHECK(cases.size() == 423);
  int halves = 0;
  for (const Json& line : cases) {
    INFO(line.dump());
    const double score = anls(line.at("prediction").get<std::string>(), line.at("target").get<std::string>());
    check_equal(score, line.at("anls"));
    halves += line.at("similarity") == 0.5;
  }
  CHECK(halves >= 30);
}
