#include <algorithm>
#include <cmath>

#include "base/json.h"
#include "tasks/metrics/detection.h"
#include "tasks/metrics/metric.h"
#include "tasks/metrics/ptb_tokenizer.h"
#include "tests/fuzz/readers.h"

namespace palisade::fuzz {
namespace {

// The decoder of masks needs a file; the codes decide as well.
std::vector<float> flat_mask(std::span<const int> codes) {
  return std::vector<float>(64 * 64, codes.empty() || codes[0] % 2 == 0 ? 1.0F : -1.0F);
}

void score_with(const Metric& metric, const Json& line) {
  MetricSettings settings{.lower = true, .decode_mask = flat_mask};
  collect_categories(line, settings.categories);
  try {
    MetricExample example{.id = read_metric_id(line)};
    example.references = read_metric_references(metric, line, settings);
    example.prediction = read_metric_prediction(metric, line, settings, example.references);
    const MetricResult result = metric.score({&example, 1}, settings);
    if (result.examples.size() != 1) __builtin_trap();
    (void)result.examples[0].scores.dump();
    (void)result.figures.dump();
  } catch (const Error&) {
  }
}

}  // namespace

// A line of data and predictions in one, as every metric reads and scores it, and its text as a caption.
void metrics(Input input) {
  try {
    const Json line = parse_json(text_of(input), "line");
    for (const Metric& metric : all_metrics()) score_with(metric, line);
    if (!line.is_object() || !line.contains("prediction") || !line.at("prediction").is_string()) return;
    for (const std::string& token : ptb_tokens(line.at("prediction").get<std::string>())) {
      if (token.empty() || token.find(' ') != std::string::npos) __builtin_trap();
    }
  } catch (const Error&) {
  }
}

}  // namespace palisade::fuzz
