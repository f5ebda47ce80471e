#include "tasks/metrics/captions.h"

#include "tasks/metrics/caption_scores.h"
#include "tasks/metrics/example_lines.h"
#include "tasks/metrics/ptb_tokenizer.h"

namespace palisade {
namespace {

Json json_of(const CaptionScore& score) {
  return {{"cider", score.cider},
          {"cider_plain", score.cider_plain},
          {"bleu", score.bleu},
          {"bleu-4", score.bleu},  // as big_vision calls all four
          {"rouge_l", score.rouge_l}};
}

}  // namespace

void read_caption(const Json& line, const MetricSettings&, ExampleReferences& references) {
  read_answers(line, references);
}

MetricResult score_caption(std::span<const MetricExample> examples, const MetricSettings&) {
  MetricResult result;
  result.examples.resize(examples.size());
  std::vector<CaptionPair> pairs;
  std::vector<std::size_t> scored;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    CaptionPair pair{.prediction = caption_tokens(examples[i].prediction.text)};
    for (const std::string& reference : examples[i].references.answers)
      pair.references.push_back(caption_tokens(reference));
    result.examples[i].details = {{"prediction_tokens", pair.prediction},
                                  {"reference_tokens", pair.references}};
    if (pair.references.empty()) continue;
    pairs.push_back(std::move(pair));
    scored.push_back(i);
  }
  const CaptionScores scores = score_captions(pairs);
  for (std::size_t k = 0; k < scored.size(); ++k)
    result.examples[scored[k]].scores = json_of(scores.captions[k]);
  if (!pairs.empty()) result.figures = json_of(scores.corpus);
  result.figures["num"] = double(examples.size());
  return result;
}

}  // namespace palisade
