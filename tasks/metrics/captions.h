#pragma once

#include "tasks/metrics/metric.h"

namespace palisade {

// big_vision's evaluator coco_caption: CIDEr-D, BLEU and ROUGE-L of pycocoevalcap over the Penn Treebank
// tokenizer. METEOR and SPICE are left out: they need resources of their own.
void read_caption(const Json& line, const MetricSettings& settings, ExampleReferences& references);
MetricResult score_caption(std::span<const MetricExample> examples, const MetricSettings& settings);

}  // namespace palisade
