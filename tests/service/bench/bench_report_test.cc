#include "service/bench/bench_report.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "model/config/model_shapes.h"
#include "model/weights/random_checkpoint.h"

using namespace palisade;

namespace {

// A machine with 10 GB/s and 100 GOP/s, and stages that took twice the time that these limits allow.
BenchReport made_up() {
  BenchReport report{.model = "x <y> & z", .random_weights = true, .parameters = 3'000'000'000};
  report.limits.threads = 2;
  for (const double factor : {0.9, 1.0, 1.2}) {
    report.limits.memory.add(10e9 * factor);
    report.limits.matmuls["f32"].add(100e9 * factor);
  }
  StageResult matmul{.stage = all_stages()[2], .tokens = 272};
  matmul.work = {.linear_operations = 90e9, .attention_operations = 10e9, .weight_bytes = 1e9};
  matmul.timing.seconds.add(2.0);
  matmul.timing.matmul_thread_seconds.add(2.4);  // 1.2 s of both threads
  StageResult memory{.stage = all_stages()[4], .tokens = 1};
  memory.work = {
      .linear_operations = 1e9, .attention_operations = 0, .weight_bytes = 8e9, .cache_bytes = 2e9};
  memory.timing.seconds.add(4.0);
  memory.timing.matmul_thread_seconds.add(2.0);
  StageResult skipped{.stage = all_stages()[3], .skipped = "the model has 2048 positions"};
  matmul.limits = memory.limits = report.limits;
  // The memory bandwidth was disturbed at other times.
  report.limits.memory.add(1e9);
  report.limits.memory.add(1e9);
  report.stages = {matmul, skipped, memory};
  return report;
}

std::size_t count_of(const std::string& text, const std::string& word) {
  std::size_t count = 0;
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE("samples know their median and their extremes") {
  Samples samples;
  CHECK(samples.median() == 0);
  for (const double value : {5.0, 1.0, 4.0}) samples.add(value);
  CHECK(samples.median() == 4);
  samples.add(3);
  CHECK(samples.median() == 3.5);
  CHECK(samples.least() == 1);
  CHECK(samples.most() == 5);
}

TEST_CASE("a stage's share is what the limit that binds it would take, over what it took") {
  const BenchReport report = made_up();
  CHECK(share_of_limits(report, report.stages[0]) == doctest::Approx(0.5));
  CHECK(share_of_limits(report, report.stages[2]) == doctest::Approx(0.25));
  // 90e9 operations in 1.2 s, 8e9 bytes in 1 s.
  CHECK(share_of_limits_in_matmul(report, report.stages[0]) == doctest::Approx(0.75));
  CHECK(share_of_limits_in_matmul(report, report.stages[2]) == doctest::Approx(0.8));
  CHECK_FALSE(report.limits.bound_by_memory(report.stages[0].work, "f32"));
  CHECK(report.limits.bound_by_memory(report.stages[2].work, "f32"));
}

TEST_CASE("the JSON says every stage's time, speed, memory, limit and share, and why one was left out") {
  const Json json = json_of(made_up());
  CHECK(json["model"] == "x <y> & z");
  CHECK(json["random_weights"] == true);
  CHECK(json["precision"] == "f32");
  CHECK(json["limits"]["memory_bytes_per_second"]["median"] == 9e9);
  CHECK(json["limits"]["memory_bytes_per_second"]["best"] == doctest::Approx(12e9));
  CHECK(json["limits"]["product_operations_per_second"]["f32"]["samples"] == 3);
  REQUIRE(json["stages"].size() == 3);
  const Json& prefill = json["stages"][0];
  CHECK(prefill["stage"] == "prefill-272");
  CHECK(prefill["seconds"]["median"] == 2.0);
  CHECK(prefill["tokens_per_second"] == 136.0);
  CHECK(prefill["operations"]["attention"] == 10e9);
  CHECK(prefill["bound_by"] == "product");
  CHECK(prefill["share_of_limits"] == doctest::Approx(0.5));
  CHECK(prefill["seconds_in_products"] == doctest::Approx(1.2));
  CHECK(prefill["share_of_limits_in_products"] == doctest::Approx(0.75));
  CHECK(prefill.contains("peak_memory_bytes"));
  CHECK(json["stages"][1]["skipped"] == "the model has 2048 positions");
  CHECK(json["stages"][2]["bound_by"] == "memory");
}

TEST_CASE("the table has a line a stage") {
  const std::string table = table_of(made_up());
  CHECK(table.find("prefill-272        2.00 s") != std::string::npos);
  CHECK(table.find("prefill-4112  left out: the model has 2048 positions\n") != std::string::npos);
  CHECK(table.find(" 25%       80%\n") != std::string::npos);
}

TEST_CASE("the picture has a roof, a point for every stage that ran, and no markup of the model's name") {
  const std::string svg = roofline_of(made_up());
  CHECK(svg.starts_with("<svg "));
  CHECK(svg.ends_with("</svg>\n"));
  CHECK(count_of(svg, "<circle") == 2);
  CHECK(count_of(svg, "#06c") == 2);
  CHECK(svg.find("x &lt;y> &amp; z") != std::string::npos);
  CHECK(svg.find("nan") == std::string::npos);
  CHECK(svg.find("inf") == std::string::npos);
}

TEST_CASE("stages are chosen by kind or by name, in the order of the table, each once") {
  const std::vector<std::string> names = {"decode-4", "encode", "encode-1"};
  const std::vector<Stage> stages = stages_named(names);
  REQUIRE(stages.size() == 3);
  CHECK(stages[0].name == "encode-1");
  CHECK(stages[1].name == "encode-16");
  CHECK(stages[2].name == "decode-4");
  const std::vector<std::string> unknown = {"prefil"};
  CHECK_THROWS_WITH_AS(stages_named(unknown), doctest::Contains("there is no stage 'prefil'; stages are"),
                       UsageError);
}

TEST_CASE("stages of a small model run, count their tokens, and take a time") {
  const PaliGemma model(*config_of_shape("tiny"), RandomCheckpoint(), "tiny");
  int told = 0;
  for (const Stage& stage : all_stages()) {
    if (stage.long_one && stage.kind == StageKind::kPrefill) continue;
    const StageResult result = run_stage(model, stage, 2, [&](const std::string&) { ++told; });
    CAPTURE(result.stage.name);
    CHECK(result.skipped.empty());
    CHECK(result.timing.seconds.count() >= 2);
    CHECK(result.timing.seconds.median() > 0);
    CHECK(result.timing.matmul_thread_seconds.count() == result.timing.seconds.count());
    CHECK(result.timing.matmul_thread_seconds.median() > 0);
    CHECK(result.tokens == (stage.kind == StageKind::kEncode ? stage.size * 16 : stage.size));
    CHECK(result.peak_memory > 0);
    CHECK(result.work.operations() > 0);
  }
  CHECK(told > 6);
}

TEST_CASE("a stage that the model has no positions for is left out, and says so") {
  ModelConfig config = config_of_shape("tiny").value();
  config.text.max_position_embeddings = 2048;
  const PaliGemma model(config, RandomCheckpoint(), "tiny");
  const StageResult result = run_stage(model, all_stages()[3], 1, [](const std::string&) {});
  CHECK(result.skipped == "the model has 2048 positions");
}

TEST_CASE("limits are measured, and a second time adds to them") {
  MachineLimits limits = measured_limits(1, 16 << 20);
  limits.add(measured_limits(2, 16 << 20));
  CHECK(limits.threads >= 1);
  CHECK(limits.memory.count() == 3);
  CHECK(limits.memory.least() > 0);
  CHECK(limits.matmuls.size() == precisions_here().size());
  for (const auto& [precision, samples] : limits.matmuls) {
    CAPTURE(precision);
    CHECK(samples.count() == 3);
    CHECK(samples.least() > 0);
  }
}
