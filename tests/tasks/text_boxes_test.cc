#include "tasks/metrics/text_boxes.h"

#include <algorithm>

#include "tests/tasks/metric_cases.h"

using namespace palisade;

TEST_CASE("every recorded answer has the boxes and labels that supervision recognises") {
  const std::vector<Json> cases = case_lines("detection/parse.jsonl");
  CHECK(cases.size() == 380);
  for (const Json& line : cases) {
    INFO(line.dump());
    Json boxes = Json::array(), labels = Json::array(), ids = Json::array();
    for (const WrittenBox& box : written_boxes(line.at("text").get<std::string>())) {
      const Json& classes = line.at("classes");
      const auto known = std::ranges::find(classes, Json(box.label));
      if (!classes.is_null() && known == classes.end()) continue;
      constexpr double kLocations = 1024;  // as supervision divides
      const auto edge = [&](std::size_t i, const char* side) {
        return box.locations[i] / kLocations * line.at(side).get<double>();
      };
      boxes.push_back({edge(1, "width"), edge(0, "height"), edge(3, "width"), edge(2, "height")});
      labels.push_back(box.label);
      if (!classes.is_null()) ids.push_back(known - classes.begin());
    }
    check_equal(boxes, line.at("boxes_x1y1x2y2"));
    CHECK(labels == line.at("labels"));
    CHECK((line.at("class_ids").is_null() || ids == line.at("class_ids")));
  }
}
