#include "model/masks/run_lengths.h"

#include <doctest/doctest.h>

#include <array>
#include <random>

using namespace palisade;

namespace {

// Of single pixels, of rows, of all and of none.
Mask random_mask(std::mt19937_64& random) {
  const auto number = [&](int below) { return int(random() % std::uint64_t(below)); };
  Mask mask{.width = 1 + number(90), .height = 1 + number(70)};
  const int x_min = number(mask.width + 1), y_min = number(mask.height + 1);
  mask.box = {x_min, y_min, x_min + number(mask.width - x_min + 1), y_min + number(mask.height - y_min + 1)};
  mask.inside.resize(std::size_t(mask.box[2] - x_min) * std::size_t(mask.box[3] - y_min));
  const int kind = number(4);
  for (std::uint8_t& one : mask.inside) one = kind == 0 ? 1 : kind == 1 ? 0 : number(kind == 2 ? 2 : 30) == 0;
  return mask;
}

}  // namespace

TEST_CASE("a mask's code is that of pycocotools") {
  // pycocotools 2.0.11, of the reference's masks.
  struct Golden {
    int height, width;
    const char* counts;
    int area;
    std::array<int, 4> box;  // x, y, width, height
  };
  for (const Golden& golden :
       {Golden{1, 9, "01120O0", 6, {0, 0, 8, 1}}, Golden{120, 75, "R`51UY3", 1, {46, 114, 1, 1}},
        Golden{200, 310, "X[l1W61", 199, {309, 0, 1, 199}}, Golden{16, 12, "l14<0T3", 8, {3, 12, 2, 4}},
        Golden{16, 12, "P3790P2", 14, {6, 0, 2, 7}}, Golden{5, 8, "X1", 0, {}}}) {
    CAPTURE(golden.counts);
    const auto mask = mask_of_counts(golden.counts, golden.width, golden.height);
    REQUIRE(mask);
    CHECK(coco_counts(*mask) == golden.counts);
    int area = 0;
    const auto [left, top, width, height] = golden.box;
    for (int y = 0; y < golden.height; ++y) {
      for (int x = 0; x < golden.width; ++x) {
        area += mask->holds(x, y);
        if (mask->holds(x, y)) CHECK((x >= left && x < left + width && y >= top && y < top + height));
      }
    }
    CHECK(area == golden.area);
  }
}

TEST_CASE("a mask's code is read back pixel by pixel") {
  std::mt19937_64 random(34);
  for (int i = 0; i < 300; ++i) {
    const Mask mask = random_mask(random);
    const auto back = mask_of_counts(coco_counts(mask), mask.width, mask.height);
    REQUIRE(back);
    int different = 0;
    for (int y = 0; y < mask.height; ++y) {
      for (int x = 0; x < mask.width; ++x) different += mask.holds(x, y) != back->holds(x, y);
    }
    CHECK(different == 0);
    CHECK(coco_counts(*back) == coco_counts(mask));
  }
}

TEST_CASE("a code that is none or does not fill the picture is refused") {
  CHECK(mask_of_counts("<", 4, 3));  // all of it outside
  for (const char* const counts : {"", ";", "=", "0", "<<", " <", "\x7f", "P", "PPPPPPPPPPPP0", "O"})
    CHECK_FALSE(mask_of_counts(counts, 4, 3));
  CHECK_FALSE(mask_of_counts("<", 0, 3));
  CHECK_FALSE(mask_of_counts("<", 1 << 20, 1 << 20));
  std::mt19937_64 random(34);
  for (int i = 0; i < 20'000; ++i) {
    std::string counts(random() % 12, ' ');
    for (char& c : counts) c = char(48 + random() % 66);
    if (const auto mask = mask_of_counts(counts, 16, 9)) CHECK(mask->inside.size() == 144);
  }
}
