// The demo model's lessons and marks.
#include <doctest/doctest.h>

#include <cmath>

#include "examples/demo_model/lessons.h"
#include "examples/demo_model/marks.h"
#include "examples/demo_model/patch_labels.h"
#include "tasks/boxes.h"

using namespace palisade;
using namespace palisade::world;

namespace {

Object car_at(double x) {
  Object car;
  car.kind = Kind::kCar;
  car.colour = Colour::kBlue;
  car.baseline = 180;
  car.width = 160;
  car.height = 60;
  car.knots = {{0, x}};
  return car;
}

struct School {
  std::filesystem::path folder = std::filesystem::path(PALISADE_SOURCE_DIR) / "configs" / "models" / "demo";
  ModelConfig config = read_model_config(folder);
  Preprocessor preprocessor = read_preprocessor(folder, config.vision.image_size);
  Tokenizer tokenizer{folder};
  Lessons lessons() const { return Lessons(config, preprocessor, tokenizer, 3); }
};

}  // namespace

TEST_CASE("a patch's labels are those of the object whose centre it holds, by its place in the picture") {
  const std::vector<Object> objects{
      car_at(320)};  // 320..480 of 640, 120..180 of 360: centre in row 1, column 2
  std::vector<int> labels;
  append_patch_labels(objects, 0, 4, labels);
  const std::size_t kinds = patch_labels().size();
  REQUIRE(labels.size() == 16 * kinds);
  for (std::size_t patch = 0; patch < 16; ++patch) {
    const int* const own = &labels[patch * kinds];
    CAPTURE(patch);
    CHECK(own[0] == (patch == 6 ? 1 + 0 * kColours + 2 : 0));
    CHECK(own[6] == 0);
    CHECK(own[12] == int(patch / 4));
    CHECK(own[13] == int(patch % 4));
    if (patch != 6) continue;
    CHECK(own[1] == 32);
    CHECK(own[2] == 48);
    CHECK(own[3] == 21);
    CHECK(own[4] == 32);
    CHECK(own[5] == 1);
    for (std::size_t kind = 0; kind < kinds; ++kind) CHECK(own[kind] < patch_labels()[kind].classes);
  }
}

TEST_CASE("lessons are the same for the same seed and step, drawn or not, and answers can be told apart") {
  const School school;
  Lessons drawn = school.lessons(), counted = school.lessons();
  for (int step = 0; step < 8; ++step) {
    const double progress = step / 6.0;
    const Part part = step < 6 ? Part::kCourse : Part::kReview;
    const Lesson full = drawn.lesson(part, step, progress, true);
    const Lesson bare = counted.lesson(part, step, progress, false);
    REQUIRE(full.questions.size() == bare.questions.size());
    REQUIRE(full.batch.examples.size() == full.questions.size());
    CHECK(full.batch.pictures.size() == bare.batch.pictures.size());
    for (std::size_t i = 0; i < full.questions.size(); ++i) {
      CHECK(full.questions[i].prefix == bare.questions[i].prefix);
      CHECK(full.questions[i].suffix == bare.questions[i].suffix);
      for (const int picture : full.batch.examples[i].pictures)
        CHECK(picture < int(full.batch.pictures.size()));
    }
  }
}

TEST_CASE("every question is known to the tokenizer") {
  const School school;
  Lessons lessons = school.lessons();
  for (const LessonKind& kind : {LessonKind{1, 20, 7}, LessonKind{2, 20, 6}, LessonKind{16, 20, 7}}) {
    for (const TrainingExample& example : lessons.lesson_of(kind, 5, false).batch.examples) {
      for (const auto& tokens : {example.prompt, example.suffix})
        CHECK(std::ranges::count(tokens, TokenId(3)) == 0);
    }
  }
}

namespace {

// An answer whose location tokens have this probability each.
Answer answer_of(const std::string& text, double p = 0.5) {
  Answer answer{.text = text};
  for (const int location : read_boxes(text).locations)
    answer.locations.push_back({.location = location, .logprob = std::log(p)});
  return answer;
}

}  // namespace

TEST_CASE("marks count exact answers, captions and boxes") {
  Marks marks;
  marks.add(answer_of("a red car and a blue dog"), {"caption en", "a red car and a blue dog"});
  marks.add(answer_of("a red car"), {"caption en", "a red car and a blue dog"});
  CHECK(marks.exact_share() == 0.5);
  CHECK(marks.captions.objects.f1() == doctest::Approx(6.0 / 7));

  Marks boxes;
  boxes.add(answer_of("<loc0000><loc0000><loc0512><loc0512> car"),
            {"detect car", "<loc0000><loc0000><loc0512><loc0512> car"});
  boxes.add(answer_of("<loc0000><loc0000><loc0512><loc0256> car ; <loc0512><loc0512><loc1023><loc1023> car"),
            {"detect car", "<loc0000><loc0000><loc0512><loc0512> car"});
  boxes.add(answer_of(""), {"detect dog", ""});
  CHECK(boxes.mean_overlap() == doctest::Approx(0.75));
  CHECK(boxes.detection_f1() == doctest::Approx(2.0 * 2 / 5));
  CHECK(boxes.exact == 2);
  CHECK(boxes_in("<loc00").empty());
  CHECK(boxes_in("<loc0000><loc0000> and <loc0512><loc0512> car").empty());

  CHECK(mark_of("answer en which way does the car go?") == "direction");
  CHECK(mark_of("answer en which way does the red car go?") == "direction with colour");
  CHECK(mark_of("answer en is there a red car?") == "exists");
}

TEST_CASE("boxes are ranked by their confidence, kind by kind") {
  const UnitBox left{0, 0, 0.5, 0.5}, right{0.5, 0.5, 1, 1}, near_left{0, 0, 0.5, 0.4};
  Detections detections;
  // Of two cars one is found, by the less confident of two boxes; the other one stands where none is.
  detections.add("car", {left, right}, {{near_left, 0.6}, {{0, 0.6, 0.2, 0.9}, 0.9}});
  CHECK(detections.wrong() == 1);
  // The precision is one half up to a recall of one half, which 51 of 101 steps are.
  CHECK(detections.average_precision() == doctest::Approx(51 * 0.5 / 101));
  CHECK(detections.area_under_curve() == 0);
  // A second box on the same dog is wrong.
  detections.add("dog", {left}, {{left, 0.8}, {left, 0.7}});
  CHECK(detections.wrong() == 2);
  CHECK(detections.average_precision() == doctest::Approx((51 * 0.5 / 101 + 1) / 2));
  // Of four pairs of a right and a wrong box (0.6, 0.8 against 0.9, 0.7) one is in order.
  CHECK(detections.area_under_curve() == doctest::Approx(0.25));
  CHECK(overlap_of(left, near_left) == doctest::Approx(0.8));
}
