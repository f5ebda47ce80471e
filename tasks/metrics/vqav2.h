#pragma once

#include <string>
#include <string_view>

#include "tasks/metrics/metric.h"

namespace palisade {

// Line breaks and tabs as spaces, stripped; stripspace_vqav2 of big_vision's evaluator vqav2.
std::string vqav2_stripped(std::string_view text);
// Without punctuation, articles and spellings; postprocess_vqav2_text of a stripped text. VQA's own script
// removes at most 32 full stops.
std::string vqav2_processed(std::string_view text, bool official = false);

// big_vision's evaluator vqav2: each of ten answers left out in turn. Also `official_acc`, of VQA's own
// script, and its figures in percent, rounded to two digits.
void read_vqav2(const Json& line, const MetricSettings& settings, ExampleReferences& references);
MetricResult score_vqav2(std::span<const MetricExample> examples, const MetricSettings& settings);

}  // namespace palisade
