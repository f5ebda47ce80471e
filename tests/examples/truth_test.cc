#include "examples/world/truth.h"

#include <doctest/doctest.h>

#include <cmath>

#include "examples/world/caption.h"
#include "tests/examples/golden_world.h"

using namespace palisade::world;

namespace {

std::vector<double> times_of(const nlohmann::json& window, double frames_per_second) {
  std::vector<double> times;
  for (const int frame : window["frames"]) times.push_back(frame / frames_per_second);
  return times;
}

bool any(std::span<const Clause> clauses, Motion one, Motion other) {
  for (const Clause& clause : clauses) {
    if (clause.motion == one || clause.motion == other) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("the truth of every sample window is the one that the demo world states") {
  int captions = 0;
  int others = 0;
  for (const auto& clip : golden_clips()) {
    const std::vector<Object> objects = objects_of(clip["objects"]);
    for (const auto& window : clip["windows"]) {
      const std::vector<Clause> clauses = window_truth(objects, times_of(window, clip["fps"]));
      CAPTURE(clip["file"]);
      CAPTURE(window["start_s"]);
      for (const auto& question : window["questions"]) {
        const std::string prompt = question["prompt"];
        const std::string truth = question["truth"];
        if (prompt == "caption en") {
          CHECK(window_caption(clauses) == truth);
          ++captions;
        } else if (prompt == "answer en what moves?") {
          CHECK(moving_text(clauses) == truth);
          ++others;
        } else if (prompt == "answer en did anything enter?") {
          CHECK(any(clauses, Motion::kEnters, Motion::kCrosses) == (truth == "yes"));
          ++others;
        } else if (prompt == "answer en did anything leave?") {
          CHECK(any(clauses, Motion::kLeaves, Motion::kCrosses) == (truth == "yes"));
          ++others;
        }
      }
    }
  }
  MESSAGE(captions << " captions and " << others << " other truths of windows");
  CHECK(captions == 28);
}

// The samples' times are rounded to 0.1 ms, so that at 300 pixels a second a box may round to another pixel.
bool close(const world::Box& a, const world::Box& b) {
  return a.y0 == b.y0 && a.y1 == b.y1 && std::abs(a.x0 - b.x0) <= 1 && std::abs(a.x1 - b.x1) <= 1;
}

TEST_CASE("every box and visible fraction of every sample frame is the one that the demo world states") {
  int boxes = 0;
  int rounded_otherwise = 0;
  for (const auto& clip : golden_clips()) {
    const std::vector<Object> objects = objects_of(clip["objects"]);
    int number = 0;
    for (const auto& frame : clip["frames"]) {
      const double t = number++ / clip["fps"].get<double>();
      std::size_t listed = 0;
      for (const Object& object : objects) {
        const double visible = visible_fraction(object, t);
        if (visible <= 0) continue;
        CAPTURE(clip["file"]);
        CAPTURE(t);
        REQUIRE(listed < frame.size());
        const auto& theirs = frame[listed++];
        CHECK(theirs[0] == object.id);
        const world::Box box{theirs[1], theirs[2], theirs[3], theirs[4]};
        CHECK(close(box_at(object, t), box));
        rounded_otherwise += box_at(object, t) == box ? 0 : 1;
        CHECK(std::abs(visible - theirs[5].get<double>()) <= 0.001);
        ++boxes;
      }
      CHECK(listed == frame.size());
    }
  }
  MESSAGE(boxes << " boxes, " << rounded_otherwise << " of them a pixel apart");
  CHECK(rounded_otherwise <= 5);
}

TEST_CASE("captions and detections of the sample stills are the ones that the demo world states") {
  int captions = 0;
  int detections = 0;
  for (const auto& still : golden("stills.json")) {
    const std::vector<Object> objects = objects_of(still["objects"]);
    for (const auto& question : still["questions"]) {
      const std::string prompt = question["prompt"];
      CAPTURE(still["file"]);
      if (prompt == "caption en") {
        CHECK(still_caption(still_truth(objects, 0)) == question["truth"]);
        ++captions;
      } else if (prompt.starts_with("detect ")) {
        CHECK(detection_text(objects, kind_named(prompt.substr(7)).value(), 0) == question["truth"]);
        ++detections;
      }
    }
  }
  MESSAGE(captions << " captions and " << detections << " detections of stills");
  CHECK(captions == 12);
}

TEST_CASE("captions of the sample pairs are the ones that the demo world states") {
  int captions = 0;
  for (const auto& pair : golden("pairs.json")) {
    const auto caption = [&](const char* side) {
      std::vector<Thing> things;
      for (const Object& object : objects_of(pair[side])) things.push_back({object.kind, object.colour});
      std::sort(things.begin(), things.end());
      return still_caption(things);
    };
    for (const auto& question : pair["questions"]) {
      if (question["prompt"] != "caption en") continue;
      CHECK("left: " + caption("left") + ". right: " + caption("right") == question["truth"]);
      ++captions;
    }
  }
  MESSAGE(captions << " captions of pairs");
  CHECK(captions > 0);
}

TEST_CASE("an object that too few pictures show is not part of the window") {
  Object car;
  car.width = 100;
  car.knots = {{0, -104}, {10, 896}};  // 100 px/s
  std::vector<double> times;
  for (int i = 0; i < 16; ++i) times.push_back(i * 4 / 15.0);
  CHECK(window_truth({&car, 1}, times).size() == 1);
  for (double& t : times) t -= 3.2;  // the last two pictures show 30 % of it
  CHECK(window_truth({&car, 1}, times).empty());
}
