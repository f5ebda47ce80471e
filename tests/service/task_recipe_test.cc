#include "service/evaluation/task_recipe.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "tasks/metrics/metric.h"

using namespace palisade;

TEST_CASE("a task is found by its recipe's name, or by its own at the model's size") {
  CHECK(recipe_of_task("nlvr2_448", 224) == "nlvr2_448");
  CHECK(recipe_of_task("nlvr2", 448) == "nlvr2_448");
  CHECK(recipe_of_task("msvd_qa", 448) == "msvd_qa_224");
  CHECK_THROWS_WITH_AS(recipe_of_task("nlvr3_224", 224), doctest::Contains("did you mean nlvr2_224?"),
                       UsageError);
}

TEST_CASE("a published transfer says its metric, and its numbers where there is one a figure") {
  const auto pairs = published_transfer("nlvr2_224");
  REQUIRE(pairs);
  CHECK(pairs->metric == "vqa");
  CHECK(pairs->values == std::vector{90.02});
  CHECK_FALSE(pairs->lower);
  const auto documents = published_transfer("docvqa_448");
  REQUIRE(documents);
  CHECK(documents->figures == std::vector<std::string>{"anls"});
  CHECK(documents->lower);
  const auto counts = published_transfer("tallyqa_224");
  REQUIRE(counts);
  CHECK(counts->figures == std::vector<std::string>{"acc/simple", "acc/complex"});
  CHECK(counts->values == std::vector{81.72, 69.56});
  const auto science = published_transfer("scicap_224");
  REQUIRE(science);
  CHECK(science->values == std::vector{162.25, 0.192});
  // Of three data sets, none of which is known to be the one that is evaluated.
  const auto segments = published_transfer("refcoco_seg_224");
  REQUIRE(segments);
  CHECK(segments->values.empty());
  CHECK(segments->published == "73.40/68.32/67.65 (mIoU val refcoco/+/g)");
  CHECK(published_transfer("tallyqa_896")->values.empty());
  CHECK_FALSE(published_transfer("nothing_224"));
}

TEST_CASE("every published transfer has a recipe and a metric that exists") {
  for (const PublishedTransfer& row : read_published_transfers(recipes_folder() / "transfer_configs.csv")) {
    CAPTURE(row.task);
    if (row.task.starts_with("pope")) continue;  // evaluated and never trained
    CHECK(recipe_of_task(row.task + "_" + row.resolution, 0) == row.task + "_" + row.resolution);
    CHECK(find_metric(row.metric) != nullptr);
  }
}
