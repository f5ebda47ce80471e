#include "tasks/metrics/segmentation.h"

#include "model/masks/mask_decoder.h"
#include "tests/tasks/metric_cases.h"

using namespace palisade;

namespace {

const MetricSettings& settings() {
  static const MaskDecoder kDecoder(std::filesystem::path(PALISADE_SOURCE_DIR) /
                                    "tests/golden/reference/segmentation/vae-oid.npz");
  static const MetricSettings kSettings{
      .decode_mask = [](std::span<const int> codes) { return kDecoder.decode(codes); }};
  return kSettings;
}

}  // namespace

TEST_CASE("segmentation equals big_vision on every recorded case and total") {
  const std::vector<Json> cases = case_lines("segmentation.jsonl");
  CHECK(cases.size() == 320);
  const Metric& metric = *find_metric("segmentation");
  std::vector<MetricExample> examples;
  for (const Json& line : cases) examples.push_back(metric_example(metric, line));
  const MetricResult result = score_segmentation(examples, settings());
  for (std::size_t i = 0; i < cases.size(); ++i) {
    INFO(cases[i].dump());
    // Within 1e-5 of the edge rounding decides whether a pixel is inside.
    const auto close = cases[i].at("close_pixels").get<double>();
    const double tolerance =
        close == 0 ? kMetricTolerance : close / double(area_of(examples[i].references.mask));
    check_equal(result.examples[i].scores.at("iou"), cases[i].at("iou"), tolerance);
    CHECK(result.examples[i].details.at("valid") == cases[i].at("valid"));
    CHECK(result.examples[i].details.at("box_iou_at_least") == cases[i].at("box_iou_at_least"));
  }
  const Json totals = read_json(kMetricCases / "segmentation.totals.json").at("totals");
  CHECK(totals.size() == 5);
  for (const Json& total : totals) {
    std::vector<MetricExample> some = examples;
    if (total.at("cases") != "all") {
      some.clear();
      for (const Json& id : total.at("cases")) some.push_back(examples[id.get<std::size_t>()]);
    }
    check_figures(score_segmentation(some, settings()).figures, total.at("figures"), 1e-4);
  }
}

TEST_CASE("segmentation without weights that decode masks is refused with the remedy") {
  CHECK_THROWS_AS(score_segmentation({}, {}), UsageError);
}
