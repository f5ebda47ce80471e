#include "tasks/metrics/detection.h"

#include <algorithm>

#include "tasks/metrics/detection_figures.h"
#include "tests/tasks/metric_cases.h"

using namespace palisade;

namespace {

// Examples and categories of a recorded file, by image.
struct Recorded {
  std::vector<MetricExample> examples;
  MetricSettings settings;
  std::map<int, std::size_t> places;

  explicit Recorded(const Json& file, bool texts = false) {
    collect_categories(file, settings.categories);
    for (const Json& image : file.at("images")) {
      places[image.at("id").get<int>()] = examples.size();
      MetricExample example{.id = image.at("id")};
      example.references.width = image.at("width").get<int>();
      example.references.height = image.at("height").get<int>();
      if (!texts) example.prediction.found.emplace();
      examples.push_back(std::move(example));
    }
    for (const Json& annotation : file.at("annotations")) {
      ExampleReferences& references = of(annotation).references;
      references.objects.push_back(
          read_labelled_object(annotation, settings, references.width, references.height));
    }
  }
  MetricExample& of(const Json& entry) { return examples[places.at(entry.at("image_id").get<int>())]; }
  void add(const Json& detection) {
    MetricExample& example = of(detection);
    example.prediction.found->push_back(
        read_found_object(detection, settings, example.references.width, example.references.height));
  }
  Json figures() const { return score_detection(examples, settings).figures; }
};

void check_per_category(const Json& figures, const Json& file) {
  for (std::size_t i = 0; i < file.at("per_category").size(); ++i) {
    Json expected = file.at("per_category")[i];
    expected.erase("AP_by_iou");
    expected.erase("recall_by_iou");
    const Json& found = figures.at("per_category");
    const auto its = std::ranges::find_if(
        found, [&](const Json& one) { return one.at("category_id") == expected.at("category_id"); });
    REQUIRE(its != found.end());
    check_figures(*its, expected);
  }
}

Recorded with_detections(const Json& file, const std::vector<Json>& detections) {
  Recorded recorded(file);
  for (const Json& detection : detections) recorded.add(detection);
  return recorded;
}

// The recorded variations, by what they say.
Recorded variation(const std::string& what, const Json& file) {
  std::vector<Json> detections = file.at("detections").get<std::vector<Json>>();
  Json changed = file;
  if (what == "no ground truth") changed["annotations"] = Json::array();
  if (what == "no detections") detections.clear();
  if (what == "all scores 1") {
    for (Json& detection : detections) detection["score"] = 1.0;
  }
  if (what == "detections in reverse order") std::ranges::reverse(detections);
  if (what == "every detection twice") {
    const std::vector<Json> once = detections;
    detections.insert(detections.end(), once.begin(), once.end());
  }
  if (what == "no detections of category 1")
    std::erase_if(detections, [](const Json& detection) { return detection.at("category_id") == 1; });
  Recorded recorded = with_detections(changed, detections);
  if (what == "the first image alone") recorded.examples.resize(1);
  return recorded;
}

}  // namespace

TEST_CASE("detections have COCO's figures, by category and with every variation, and its matches") {
  for (const std::string name : {"ordinary", "no_crowd"}) {
    INFO(name);
    const Json file = read_json(kMetricCases / "detection" / (name + ".json"));
    CHECK(file.at("detections").size() == (name == "ordinary" ? 434 : 438));
    CHECK(Json(overlap_thresholds()) == file.at("iou_thresholds"));
    const Recorded recorded = with_detections(file, file.at("detections").get<std::vector<Json>>());
    const MetricResult result = score_detection(recorded.examples, recorded.settings);
    check_figures(result.figures, file.at("stats"));
    check_per_category(result.figures, file);
    std::map<int, std::size_t> next;  // of each image
    for (std::size_t i = 0; i < file.at("matches").size(); ++i) {
      const int image = file.at("detections")[i].at("image_id").get<int>();
      Json expected = file.at("matches")[i];
      INFO(expected.dump());
      expected.erase("detection");
      CHECK(result.examples[recorded.places.at(image)].details.at("matches")[next[image]++] == expected);
    }
    const Json variants = read_json(kMetricCases / "detection" / (name + ".variants.json")).at("variants");
    CHECK(variants.size() == 7);
    for (const Json& variant : variants) {
      INFO(variant.at("what"));
      check_figures(variation(variant.at("what").get<std::string>(), file).figures(), variant.at("stats"));
    }
  }
}

TEST_CASE("answers to detect are boxes in pixels with COCO's figures") {
  const Json file = read_json(kMetricCases / "detection/text_answers.json");
  CHECK(file.at("predictions").size() == 60);
  Recorded recorded(file, true);
  std::vector<Json> found;
  for (const Json& prediction : file.at("predictions")) {
    MetricExample& example = recorded.of(prediction);
    example.prediction.text = prediction.at("prediction").get<std::string>();
    for (const FoundObject& object : objects_of_answer(example.prediction.text, recorded.settings,
                                                       example.references.width, example.references.height))
      found.push_back({{"image_id", example.id},
                       {"category_id", object.category},
                       {"bbox", object.box},
                       {"score", object.score}});
  }
  REQUIRE(found.size() == file.at("detections").size());
  CHECK(found.size() == 225);
  for (std::size_t i = 0; i < found.size(); ++i) check_figures(found[i], file.at("detections")[i]);
  check_figures(recorded.figures(), file.at("stats"));
  check_per_category(recorded.figures(), file);
}

TEST_CASE("detections with masks have COCO's figures of masks") {
  const Json file = read_json(kMetricCases / "detection/masks.json");
  CHECK(file.at("detections").size() == 54);
  const Json figures = with_detections(file, file.at("detections").get<std::vector<Json>>()).figures();
  check_figures(figures, file.at("stats"));
  check_per_category(figures, file);
}

TEST_CASE("objects that cannot be are refused by name") {
  const MetricSettings settings{.categories = {{1, "cat"}}};
  const auto refused = [&](const Json& object) {
    try {
      read_found_object(object, settings, 4, 4);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const std::vector<double> box = {0, 0, 2, 2};
  CHECK(refused({{"category_id", 1}, {"bbox", box}}) == "");
  CHECK(refused({{"category_id", 2}, {"bbox", box}}) == "there is no category with the id 2");
  CHECK(refused({{"category", "dog"}, {"bbox", box}}) == "there is no category \"dog\"");
  CHECK(refused({{"category_id", 1}, {"bbox", {0, 0, 1e300, 1}}})
            .starts_with("\"bbox\" holds a number too large"));
  CHECK(refused({{"category_id", 1}, {"bbox", {0, 0, -1, 1}}}) == "\"bbox\" has a width or height below 0");
  CHECK(refused({{"category_id", 1}, {"bbox", {0, 0, 1}}}) == "\"bbox\" is no list of four numbers");
  CHECK(refused({{"category_id", 1}, {"bbox", box}, {"score", "high"}}) ==
        "\"score\" holds string, not a number");
  CHECK(refused({{"category_id", 1}, {"segmentation", {{"size", {8, 4}}, {"counts", "P1"}}}}) ==
        "a mask of 4 x 8 pixels, where the picture has 4 x 4");
  CHECK(refused(Json::array()) == "an object is no JSON object ({...})");
}
