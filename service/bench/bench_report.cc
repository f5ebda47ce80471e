#include "service/bench/bench_report.h"

#include "base/duration.h"
#include "base/format.h"

namespace palisade {
namespace {

Json spread(const Samples& samples) {
  return {{"median", samples.median()}, {"best", samples.most()}, {"samples", samples.count()}};
}

const char* bound_of(const BenchReport& report, const StageResult& stage) {
  return stage.limits.bound_by_memory(stage.work, report.precision) ? "memory" : "product";
}

// Wall time in matmuls if all threads were in them at once.
double seconds_in_matmul(const BenchReport& report, const StageResult& stage) {
  return stage.timing.matmul_thread_seconds.median() / report.limits.threads;
}

}  // namespace

double share_of_limits(const BenchReport& report, const StageResult& stage) {
  if (stage.timing.seconds.count() == 0) return 0;
  return stage.limits.seconds_of(stage.work, report.precision) / stage.timing.seconds.median();
}

double share_of_limits_in_matmul(const BenchReport& report, const StageResult& stage) {
  const double seconds = seconds_in_matmul(report, stage);
  return seconds == 0 ? 0 : stage.limits.seconds_of(stage.work.linear(), report.precision) / seconds;
}

std::string table_of(const BenchReport& report) {
  std::string text =
      format("model    {}{}, {}{}, {:.1f} million parameters\n", report.model,
             report.random_weights ? " (random weights)" : "", report.precision,
             report.calibration.empty() ? "" : ", calibrated", double(report.parameters) / 1e6) +
      format("loaded   in {}, {:.2f} GB resident, {} threads\n", duration_text(report.load_seconds),
             double(report.loaded_memory) / 1e9, report.limits.threads) +
      format("\n{:<14} {:>14} {:>14}\n", "limit", "median", "best") +
      format("{:<14} {:>9.1f} GB/s {:>9.1f} GB/s\n", "memory", report.limits.memory.median() / 1e9,
             report.limits.memory.most() / 1e9);
  for (const auto& [precision, samples] : report.limits.matmuls) {
    text += format("{:<14} {:>8.0f} GOP/s {:>8.0f} GOP/s\n", "matmul " + precision, samples.median() / 1e9,
                   samples.most() / 1e9);
  }
  text += format("\n{:<13} {:>11} {:>11} {:>9} {:>10} {:>8}  {:<8} {:>6} {:>9}\n", "stage", "median", "least",
                 "tokens/s", "GOP/s", "peak GB", "bound by", "share", "matmuls");
  for (const StageResult& stage : report.stages) {
    const std::string name(stage.stage.name);
    if (!stage.skipped.empty()) {
      text += format("{:<13} left out: {}\n", name, stage.skipped);
      continue;
    }
    const std::string peak = stage.peak_memory > 0 ? format("{:.2f}", double(stage.peak_memory) / 1e9) : "-";
    text += format("{:<13} {:>11} {:>11} {:>9.1f} {:>10.1f} {:>8}  {:<8} {:>5.0f}% {:>8.0f}%\n", name,
                   duration_text(stage.timing.seconds.median()), duration_text(stage.timing.seconds.least()),
                   stage.tokens_per_second(), stage.work.operations() / stage.timing.seconds.median() / 1e9,
                   peak, bound_of(report, stage), 100 * share_of_limits(report, stage),
                   100 * share_of_limits_in_matmul(report, stage));
  }
  if (const Agreement& agreement = report.agreement; !agreement.with.empty()) {
    text += format("\nagainst {}: logits off by {:.2f} %, cosine {:.5f}, {:.1f} % of {} tokens the same\n",
                   agreement.with, 100 * agreement.relative_error, agreement.cosine,
                   100 * agreement.same_tokens, agreement.tokens);
  }
  return text;
}

Json json_of(const BenchReport& report) {
  Json matmuls = Json::object();
  for (const auto& [precision, samples] : report.limits.matmuls) matmuls[precision] = spread(samples);
  Json stages = Json::array();
  for (const StageResult& stage : report.stages) {
    Json line = {{"stage", stage.stage.name}, {"size", stage.stage.size}};
    if (!stage.skipped.empty()) {
      line["skipped"] = stage.skipped;
    } else {
      line["seconds"] = {{"median", stage.timing.seconds.median()},
                         {"least", stage.timing.seconds.least()},
                         {"most", stage.timing.seconds.most()},
                         {"samples", stage.timing.seconds.count()}};
      line["tokens_per_second"] = stage.tokens_per_second();
      line["operations"] = {{"linear", stage.work.linear_operations},
                            {"attention", stage.work.attention_operations}};
      line["bytes_read"] = stage.work.bytes();
      line["peak_memory_bytes"] = stage.peak_memory > 0 ? Json(stage.peak_memory) : Json();
      line["bound_by"] = bound_of(report, stage);
      line["share_of_limits"] = share_of_limits(report, stage);
      line["seconds_in_products"] = seconds_in_matmul(report, stage);
      line["share_of_limits_in_products"] = share_of_limits_in_matmul(report, stage);
    }
    stages.push_back(std::move(line));
  }
  Json json = {{"model", report.model},
               {"random_weights", report.random_weights},
               {"precision", report.precision},
               {"parameters", report.parameters},
               {"threads", report.limits.threads},
               {"load_seconds", report.load_seconds},
               {"resident_memory_bytes", report.loaded_memory},
               {"limits",
                {{"memory_bytes_per_second", spread(report.limits.memory)},
                 {"product_operations_per_second", std::move(matmuls)}}},
               {"stages", std::move(stages)}};
  if (!report.calibration.empty()) json["calibration"] = report.calibration;
  if (const Agreement& agreement = report.agreement; !agreement.with.empty()) {
    json["agreement"] = {{"with", agreement.with},
                         {"tokens", agreement.tokens},
                         {"relative_error", agreement.relative_error},
                         {"cosine", agreement.cosine},
                         {"same_tokens", agreement.same_tokens}};
  }
  return json;
}

}  // namespace palisade
