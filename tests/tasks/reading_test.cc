#include "tasks/reading.h"

#include <doctest/doctest.h>

#include <cmath>

#include "base/json.h"
#include "tasks/task.h"

using namespace palisade;

namespace {

Clip clip_of(int frames, int width = 640, int height = 360) {
  Clip clip;
  for (int i = 0; i < frames; ++i) clip.frames.push_back({.source_width = width, .source_height = height});
  return clip;
}

// Two boxes, whose location tokens have these probabilities in turn.
Answer two_boxes(double first, double second) {
  Answer answer{.text =
                    "<loc0000><loc0341><loc0682><loc1023> car ; <loc0001><loc0002><loc0003><loc0004> dog"};
  for (const int location : {0, 341, 682, 1023})
    answer.locations.push_back({.location = location, .logprob = std::log(first), .spread = location});
  for (const int location : {1, 2, 3, 4})
    answer.locations.push_back({.location = location, .logprob = std::log(second), .spread = 0.0});
  return answer;
}

AnswerEvent read(const Answer& answer, const Clip& clip, const LocationScale& scale = {}) {
  AnswerEvent event{.prompt = "detect car ; dog"};
  find_task("detect")->read(answer, {.clip = clip, .locations = scale}, event);
  return event;
}

}  // namespace

TEST_CASE("a box is told in shares and in pixels of the camera's own picture, x before y") {
  const AnswerEvent event = read(two_boxes(0.5, 0.25), clip_of(1));
  REQUIRE(event.boxes.size() == 2);
  const DetectedBox& car = event.boxes[0];
  CHECK(car.label == "car");
  CHECK(car.box[0] == doctest::Approx(1.0 / 3));
  CHECK(car.box[1] == 0);
  CHECK(car.box[2] == 1);
  CHECK(car.box[3] == doctest::Approx(2.0 / 3));
  CHECK(car.pixels == std::array{213, 0, 640, 240});
  CHECK(event.malformed.empty());
  CHECK(event.text.starts_with("<loc0000>"));  // the raw text stays
}

TEST_CASE("1024 divides by 1024") {
  const AnswerEvent event = read(two_boxes(0.5, 0.25), clip_of(1, 1024, 1024), {.last = 1024});
  CHECK(event.boxes[0].pixels == std::array{341, 0, 1023, 682});
  CHECK(event.boxes[0].box[2] == 1023.0 / 1024);
}

TEST_CASE("a box's confidence is the mean probability of its own location tokens") {
  const AnswerEvent event = read(two_boxes(0.5, 0.25), clip_of(1));
  CHECK(*event.boxes[0].confidence == doctest::Approx(0.5));
  CHECK(*event.boxes[1].confidence == doctest::Approx(0.25));
  CHECK(event.boxes[0].spread->at(0) == doctest::Approx(341.0 / 1023));
  CHECK(event.boxes[0].spread->at(3) == doctest::Approx(682.0 / 1023));
  // Locations that other tokens spell have no probability of their own.
  Answer spelt = two_boxes(0.5, 0.25);
  spelt.locations.erase(spelt.locations.begin());
  const AnswerEvent unsure = read(spelt, clip_of(1));
  CHECK(unsure.boxes.size() == 2);
  CHECK_FALSE(unsure.boxes[0].confidence);
  CHECK_FALSE(unsure.boxes[0].spread);
  Answer plain = two_boxes(0.5, 0.25);
  for (LocationToken& token : plain.locations) token.spread.reset();
  CHECK(read(plain, clip_of(1)).boxes[0].confidence);
  CHECK_FALSE(read(plain, clip_of(1)).boxes[0].spread);
}

TEST_CASE("what is no box is told in the event") {
  const AnswerEvent event = read({.text = "<loc0000><loc0341> car"}, clip_of(1));
  CHECK(event.boxes.empty());
  REQUIRE(event.malformed.size() == 1);
  CHECK(event.malformed[0].text == "<loc0000><loc0341> car");
}

TEST_CASE("a segmented object has its mask where there is a decoder, and is told where it has no codes") {
  const Json golden = read_json(PALISADE_SOURCE_DIR "/tests/golden/reference/segmentation/cases.json");
  const MaskDecoder masks(PALISADE_SOURCE_DIR "/tests/golden/reference/segmentation/vae-oid.npz");
  for (const Json& one : golden.at("segment")) {
    const Answer answer{.text = one.at("text").get<std::string>() + " car"};
    const Clip clip = clip_of(1, one.at("width"), one.at("height"));
    AnswerEvent event{.prompt = "segment car"}, without{.prompt = "segment car"};
    find_task("segment")->read(answer, {.clip = clip, .masks = &masks}, event);
    find_task("segment")->read(answer, {.clip = clip}, without);
    REQUIRE(event.boxes.size() == 1);
    REQUIRE(event.boxes[0].mask);
    int area = 0;
    for (const std::uint8_t inside : event.boxes[0].mask->inside) area += inside;
    CHECK(area == one.at("mask_area").get<int>());
    CHECK(event.malformed.empty());
    CHECK(without.boxes.size() == 1);
    CHECK_FALSE(without.boxes[0].mask);
  }
  const Clip clip = clip_of(1);
  AnswerEvent event{.prompt = "segment car"};
  find_task("segment")->read(two_boxes(0.5, 0.25), {.clip = clip, .masks = &masks}, event);
  CHECK(event.boxes.size() == 2);
  REQUIRE(event.malformed.size() == 2);
  CHECK(event.malformed[0].text == "<loc0000><loc0341><loc0682><loc1023> car");
  CHECK(event.malformed[0].reason == "has no codes of a mask");
}

TEST_CASE("boxes are of one picture, whose size is known") {
  CHECK(read(two_boxes(0.5, 0.25), clip_of(2)).boxes.empty());
  CHECK(read(two_boxes(0.5, 0.25), clip_of(1, 0, 0)).boxes.empty());
}

TEST_CASE("a whole prompt is read as its word says, by whichever task it is asked") {
  const Clip clip = clip_of(1);
  for (const char* const task : {"prompt", "question"}) {
    AnswerEvent event{.prompt = "detect car"};
    find_task(task)->read(two_boxes(0.5, 0.25), {.clip = clip}, event);
    CHECK(event.boxes.size() == 2);
    AnswerEvent other{.prompt = "answer en where is the car?"};
    find_task(task)->read(two_boxes(0.5, 0.25), {.clip = clip}, other);
    CHECK(other.boxes.empty());
    CHECK(other.malformed.empty());
  }
}
