#include "tasks/boxes.h"

#include <doctest/doctest.h>

#include <random>

#include "base/format.h"
#include "base/json.h"

using namespace palisade;

namespace {

std::string codes(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += format("<seg{:03}>", i * 7);
  return text;
}

std::string reason_of(std::string_view answer) {
  const BoxReading reading = read_boxes(answer);
  CHECK(reading.boxes.empty());
  REQUIRE(reading.malformed.size() == 1);
  return reading.malformed[0].reason;
}

}  // namespace

TEST_CASE("boxes are read in the order y_min, x_min, y_max, x_max, each with its label") {
  const BoxReading reading =
      read_boxes("<loc0256><loc0128><loc0512><loc0768> red car ; <loc0000><loc0001><loc1023><loc1022> dog");
  REQUIRE(reading.boxes.size() == 2);
  CHECK(reading.boxes[0] == Box{256, 128, 512, 768, "red car"});
  CHECK(reading.boxes[1] == Box{0, 1, 1023, 1022, "dog", {}, 4});
  CHECK(reading.malformed.empty());
  CHECK(reading.locations == std::vector{256, 128, 512, 768, 0, 1, 1023, 1022});
}

TEST_CASE("an object ends where the next one's locations begin, too, and may be without a label") {
  const BoxReading reading = read_boxes(
      " <loc0001><loc0002><loc0003><loc0004> the man <loc0001><loc0002><loc0003><loc0005>;"
      "<loc0001><loc0002><loc0003><loc0006>\xe7\x8c\xab ;");
  REQUIRE(reading.boxes.size() == 3);
  CHECK(reading.boxes[0].label == "the man");
  CHECK(reading.boxes[1].label == "");
  CHECK(reading.boxes[2].label == "\xe7\x8c\xab");
  CHECK(reading.malformed.empty());
}

TEST_CASE("a mask has sixteen codes") {
  const std::string box = "<loc0001><loc0002><loc0003><loc0004>";
  const BoxReading reading = read_boxes(box + codes(16) + " cat");
  REQUIRE(reading.boxes.size() == 1);
  CHECK(reading.boxes[0].label == "cat");
  REQUIRE(reading.boxes[0].codes.size() == 16);
  CHECK(reading.boxes[0].codes[15] == 105);
  CHECK(reason_of(box + codes(15) + " cat") == "has 15 codes of a mask, not 16");
  const BoxReading long_one = read_boxes(box + codes(18) + " cat");
  REQUIRE(long_one.boxes.size() == 1);
  CHECK(long_one.boxes[0].codes == reading.boxes[0].codes);
  CHECK(long_one.boxes[0].label == "cat");
  REQUIRE(long_one.malformed.size() == 1);
  CHECK(long_one.malformed[0].reason == "has 2 codes of a mask more than 16, which are left aside");
  CHECK(reason_of(box + codes(15) + "<seg128> cat") == "has a code of a mask above 127");
  CHECK(reason_of(codes(16) + " cat") == "has no location");
}

TEST_CASE("an answer of nothing has no box, and nothing malformed") {
  for (const char* const answer : {"", " ", "\n", ";", " ; ; "}) {
    CHECK(read_boxes(answer).boxes.empty());
    CHECK(read_boxes(answer).malformed.empty());
  }
}

TEST_CASE("what is no box is told with the reason, and never becomes one") {
  CHECK(reason_of("a car") == "has no location");
  CHECK(reason_of("<loc") == "has no location");
  CHECK(reason_of("<loc1>") == "has no location");
  CHECK(reason_of("<loc0001>") == "has 1 locations, not 4");
  CHECK(reason_of("<loc0001><loc0002><loc0003> car") == "has 3 locations, not 4");
  CHECK(reason_of("<loc0001><loc0002><loc0003><loc0004><loc0005> car") == "has 5 locations, not 4");
  CHECK(reason_of("<loc0001><loc0002><loc1024><loc0004> car") == "has a location above 1023");
  CHECK(reason_of("<loc0003><loc0002><loc0001><loc0004> car") == "has no area");
  CHECK(reason_of("<loc0001><loc0004><loc0003><loc0004> car") == "has no area");
  CHECK(reason_of("<loc0001><loc0002><loc0003><loc0004> a <seg001> car") == "has a token inside its label");
  const BoxReading mixed = read_boxes("here: <loc0001><loc0002><loc0003><loc0004> car ; <loc0001> dog");
  CHECK(mixed.boxes.size() == 1);
  REQUIRE(mixed.malformed.size() == 2);
  CHECK(mixed.malformed[0].text == "here:");
  CHECK(mixed.malformed[1].text == "<loc0001> dog");
}

TEST_CASE("10,000 random strings of tokens never give a box outside the picture") {
  std::mt19937_64 random(34);
  const auto number = [&](int below) { return int(random() % std::uint64_t(below)); };
  int boxes = 0;
  for (int i = 0; i < 10'000; ++i) {
    std::string answer;
    for (int tokens = number(40); tokens > 0; --tokens) {
      switch (number(8)) {
        case 0:
          answer += format("<seg{:03}>", number(140));
          break;
        case 1:
          answer += std::string(1, char(number(256)));
          break;
        case 2:
          answer += " car ;";
          break;
        case 3:
          answer += codes(16);
          break;
        default:
          answer += format("<loc{:04}>", number(1100));
      }
    }
    CAPTURE(i);
    const BoxReading reading = read_boxes(answer);
    boxes += int(reading.boxes.size());
    for (const Box& box : reading.boxes) {
      const LocationScale scale{.last = number(2) == 0 ? 1023 : 1024};
      const int side = 1 + number(5000);
      CHECK(box.y_min < box.y_max);
      CHECK(box.x_min < box.x_max);
      for (const int edge : {box.y_min, box.x_min, box.y_max, box.x_max}) {
        CHECK(scale.share(edge) >= 0);
        CHECK(scale.share(edge) <= 1);
        CHECK(scale.pixel(edge, side) >= 0);
        CHECK(scale.pixel(edge, side) <= side);
      }
      CHECK(box.first_location + 4 <= reading.locations.size());
      CHECK((box.codes.empty() || box.codes.size() == 16));
    }
  }
  CHECK(boxes > 100);
}

TEST_CASE("locations become the reference's pixels, and boxes its locations") {
  const Json golden = read_json(PALISADE_SOURCE_DIR "/tests/golden/reference/segmentation/cases.json");
  const LocationScale scale;
  for (const Json& one : golden.at("decode")) {
    for (int edge = 0; edge < 4; ++edge) {
      const int location = one.at("loc_y1x1y2x2").at(edge), side = one.at(edge % 2 ? "width" : "height");
      CHECK(scale.pixel(location, side) == one.at("pixels_int").at(edge).get<int>());
      CHECK(scale.share(location) == doctest::Approx(one.at("normalised").at(edge).get<double>()));
    }
  }
  for (const Json& one : golden.at("encode")) {
    for (int edge = 0; edge < 4; ++edge)
      CHECK(scale.location(one.at("box").at(edge).get<double>()) == one.at("loc").at(edge).get<int>());
  }
  for (const Json& one : golden.at("segment")) {
    const BoxReading reading = read_boxes(one.at("text").get<std::string>());
    REQUIRE(reading.boxes.size() == 1);
    const Box& box = reading.boxes[0];
    CHECK(Json{box.y_min, box.x_min, box.y_max, box.x_max} == one.at("loc"));
    CHECK(box.codes.size() == 16);
  }
}

TEST_CASE("a box's line says what each number is, and where that is in pixels") {
  const Box box{256, 128, 512, 768, "car"};
  CHECK(line_of(box, 640, 480) ==
        "car: y_min 256, x_min 128, y_max 512, x_max 768 of 0 to 1023; of 640 x 480 pixels x 80 to 480, y "
        "120 to 240");
  CHECK(line_of(box, 0, 0) == "car: y_min 256, x_min 128, y_max 512, x_max 768 of 0 to 1023");
  CHECK(line_of(Box{0, 0, 1023, 1023, ""}, 3, 2).ends_with("of 3 x 2 pixels x 0 to 3, y 0 to 2"));
  CHECK(line_of(box, 1024, 1024, {.last = 1024}).ends_with("x 128 to 768, y 256 to 512"));
}
