#include "service/evaluation/prediction_scores.h"

#include <algorithm>
#include <memory>

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "model/masks/mask_decoder.h"
#include "service/evaluation/scored_files.h"
#include "service/terminal/exit_code.h"
#include "service/terminal/output.h"

namespace palisade {
namespace {

constexpr std::size_t kMaxRemarks = 20;

// Scores stand in the line itself, as in the reference's own files, and together under "scores".
Json line_of(const MetricExample& example, const ExampleScore& score) {
  Json line = score.details;
  line.update(score.scores);
  line["id"] = example.id;
  line["scores"] = score.scores;
  if (example.prediction.missing) line["missing"] = true;
  return line;
}

void print_json(const Metric& metric, const ScoredFiles& files, const MetricResult& result) {
  for (std::size_t i = 0; i < files.examples.size(); ++i)
    print_line(line_of(files.examples[i], result.examples[i]).dump());
  Json last = {{"metric", metric.name},
               {"figures", result.figures},
               {"examples", files.examples.size()},
               {"missing", files.missing},
               {"remarks", files.remarks.size()}};
  if (!result.official.empty()) last["official"] = result.official;
  print_line(last.dump());
}

void print_figures(const Json& figures, const std::string& prefix = "") {
  for (const auto& [name, value] : figures.items()) {
    if (value.is_object()) {
      print_figures(value, prefix + name + "/");
    } else {
      print_line(format("{:<28} {}", prefix + name, value.dump()));
    }
  }
}

void tell_remarks(const ScoredFiles& files) {
  for (std::size_t i = 0; i < std::min(files.remarks.size(), kMaxRemarks); ++i) log_warning(files.remarks[i]);
  if (!files.remarks.empty()) log_warning(format("{} such lines in all", files.remarks.size()));
  if (files.missing > 0)
    log_warning(format("{} of {} examples have no prediction, counted as the empty text", files.missing,
                       files.examples.size()));
}

}  // namespace

int score_predictions(const PredictionOptions& options) {
  if (options.data.empty())
    throw UsageError("--predictions needs --data FILE.jsonl, what they are predictions of");
  if (options.metric.empty())
    throw UsageError("--predictions needs --metric NAME, which says how they are scored");
  const Metric& metric = *find_metric(options.metric);
  MetricSettings settings{.lower = options.lower};
  std::shared_ptr<const MaskDecoder> decoder;
  if (!options.mask_decoder.empty()) {
    decoder = std::make_shared<MaskDecoder>(options.mask_decoder);
    settings.decode_mask = [decoder](std::span<const int> codes) { return decoder->decode(codes); };
  }
  const ScoredFiles files = read_scored_files(metric, settings, options.data, options.predictions);
  tell_remarks(files);
  const MetricResult result = metric.score(files.examples, settings);
  if (options.json) {
    print_json(metric, files, result);
  } else {
    print_figures(result.figures);
  }
  return kDone;
}

}  // namespace palisade
