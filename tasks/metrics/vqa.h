#pragma once

#include "tasks/metrics/metric.h"

namespace palisade {

// big_vision's evaluator vqa: `acc` is min(1, matches / 3) of several answers and equality with one,
// `acc_any` any match, `anls` the greatest over the answers. Nothing but case is normalised.
void read_vqa(const Json& line, const MetricSettings& settings, ExampleReferences& references);
MetricResult score_vqa(std::span<const MetricExample> examples, const MetricSettings& settings);
// ANLS alone, and equality with any answer.
MetricResult score_anls(std::span<const MetricExample> examples, const MetricSettings& settings);
MetricResult score_exact(std::span<const MetricExample> examples, const MetricSettings& settings);

// vqa with the means of big_vision's rsvqa for each type of question.
void read_rsvqa(const Json& line, const MetricSettings& settings, ExampleReferences& references);
MetricResult score_rsvqa(std::span<const MetricExample> examples, const MetricSettings& settings);

// vqa with accuracy and consistency of NLVR2's own script where lines have an "identifier".
void read_nlvr2(const Json& line, const MetricSettings& settings, ExampleReferences& references);
MetricResult score_nlvr2(std::span<const MetricExample> examples, const MetricSettings& settings);

}  // namespace palisade
