#include "tasks/metrics/mask_polygons.h"

#include "tests/tasks/metric_cases.h"

using namespace palisade;

TEST_CASE("polygons are filled as pycocotools fills them") {
  const Json recorded = read_json(kMetricCases / "masks.json").at("polygons");
  CHECK(recorded.size() == 130);
  for (const Json& object : recorded) {
    INFO(object.dump());
    const MaskRuns mask = mask_of_polygons(object.at("polygons").get<std::vector<std::vector<double>>>(),
                                           object.at("size")[0].get<int>(), object.at("size")[1].get<int>());
    CHECK(counts_of(mask) == object.at("counts"));
    CHECK(area_of(mask) == object.at("area"));
    CHECK(Json(box_of(mask)) == object.at("bbox"));
  }
}

TEST_CASE("what is no polygon is refused") {
  const auto fill = [](std::vector<double> points) {
    const std::vector<std::vector<double>> one = {std::move(points)};
    return mask_of_polygons(one, 10, 10);
  };
  CHECK_THROWS_AS(fill({}), Error);
  CHECK_THROWS_AS(fill({0, 0, 1, 1}), Error);
  CHECK_THROWS_AS(fill({0, 0, 1, 1, 2}), Error);
  CHECK_THROWS_AS(fill({0, 0, 1e9, 1, 2, 2}), Error);
  CHECK_THROWS_AS(fill({0, 0, std::nan(""), 1, 2, 2}), Error);
  std::vector<double> often;
  for (int i = 0; i < 1000; ++i) often.insert(often.end(), {i % 2 == 0 ? 0.0 : 99'999.0, 0.0});
  CHECK_THROWS_AS(fill(often), Error);
  CHECK(area_of(fill({0, 0, 10, 0, 10, 10, 0, 10})) == 100);
}
