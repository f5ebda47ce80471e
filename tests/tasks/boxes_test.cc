#include "tasks/boxes.h"

#include <doctest/doctest.h>

using namespace palisade;

TEST_CASE("boxes are read in the order y_min, x_min, y_max, x_max, each with its label") {
  const auto boxes =
      boxes_of("<loc0256><loc0128><loc0512><loc0768> red car ; <loc0000><loc0001><loc1023><loc1022> dog");
  REQUIRE(boxes.size() == 2);
  CHECK(boxes[0] == Box{256, 128, 512, 768, "red car"});
  CHECK(boxes[1] == Box{0, 1, 1023, 1022, "dog"});
}

TEST_CASE("a segment's codes are passed over, and a box may be without a label") {
  const auto boxes = boxes_of(
      "<loc0001><loc0002><loc0003><loc0004><seg000><seg127> cat;<loc0001><loc0002><loc0003><loc0004>");
  REQUIRE(boxes.size() == 2);
  CHECK(boxes[0].label == "cat");
  CHECK(boxes[1] == Box{1, 2, 3, 4, ""});
}

TEST_CASE("what is no box is passed over") {
  for (const char* const answer :
       {"", "a car", "<loc", "<loc0001>", "<loc0001><loc0002><loc0003> car",
        "<loc0001><loc0002>x<loc0003><loc0004>", "<loc0001><loc1024><loc0003><loc0004> car",
        "<loc1><loc2><loc3><loc4>", "<loc00a1><loc0002><loc0003><loc0004>"}) {
    CAPTURE(answer);
    CHECK(boxes_of(answer).empty());
  }
  // One location token too many before a box.
  const auto boxes = boxes_of("<loc1023><loc1024><loc0001><loc0002><loc0003><loc0004> car");
  REQUIRE(boxes.size() == 1);
  CHECK(boxes[0] == Box{1, 2, 3, 4, "car"});
}

TEST_CASE("a box's line says what each number is, and where that is in pixels") {
  const Box box{256, 128, 512, 768, "car"};
  CHECK(line_of(box, 640, 480) ==
        "car: y_min 256, x_min 128, y_max 512, x_max 768 of 0 to 1023; of 640 x 480 pixels x 80 to 480, y "
        "120 to 240");
  CHECK(line_of(box, 0, 0) == "car: y_min 256, x_min 128, y_max 512, x_max 768 of 0 to 1023");
  CHECK(line_of(Box{0, 0, 1023, 1023, ""}, 3, 2).ends_with("of 3 x 2 pixels x 0 to 3, y 0 to 2"));
}
