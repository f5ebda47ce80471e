#include "tasks/metrics/mask_runs.h"

#include "tests/tasks/metric_cases.h"

using namespace palisade;

namespace {

MaskRuns mask_of(const Json& mask) {
  return read_mask_runs(mask.at("counts").get<std::string>(), mask.at("size")[0].get<int>(),
                        mask.at("size")[1].get<int>());
}

}  // namespace

TEST_CASE("masks have the recorded runs, areas, boxes and overlaps of pycocotools") {
  const Json recorded = read_json(kMetricCases / "masks.json");
  CHECK(recorded.at("masks").size() == 260);
  CHECK(recorded.at("pairs").size() == 260);
  std::vector<MaskRuns> masks;
  for (const Json& mask : recorded.at("masks")) {
    INFO(mask.at("counts"));
    masks.push_back(mask_of(mask));
    if (!mask.at("runs").is_null()) CHECK(Json(masks.back().runs) == mask.at("runs"));
    CHECK(counts_of(masks.back()) == mask.at("counts"));
    CHECK(area_of(masks.back()) == mask.at("area"));
    CHECK(Json(box_of(masks.back())) == mask.at("bbox"));
  }
  for (const Json& pair : recorded.at("pairs")) {
    INFO(pair.dump());
    check_equal(mask_overlap(masks[pair.at("detection").get<std::size_t>()],
                             masks[pair.at("truth").get<std::size_t>()], pair.at("crowd").get<bool>()),
                pair.at("iou"));
  }
}

TEST_CASE("what is no code of a mask of that size is refused") {
  CHECK_THROWS_AS(read_mask_runs("\x01", 4, 4), Error);
  CHECK_THROWS_AS(read_mask_runs("", 4, 4), Error);
  CHECK_THROWS_AS(read_mask_runs("X1", 4, 4), Error);
  CHECK_THROWS_AS(read_mask_runs("`````````````1", 4, 4), Error);
  CHECK_THROWS_AS(read_mask_runs("0", 0, 4), Error);
  CHECK_THROWS_AS(read_mask_runs("0", 1 << 30, 1 << 30), Error);
  CHECK_THROWS_WITH_AS(read_mask_runs("3O", 2, 2), "a mask of another size than 2 x 2 pixels", Error);
}
