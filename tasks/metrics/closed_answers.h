#pragma once

#include "tasks/metrics/metric.h"

namespace palisade {

// big_vision's evaluator chartqa: equality (`acc`), and numbers that differ by 5 % at most (`relaxed_acc`).
MetricResult score_chartqa(std::span<const MetricExample> examples, const MetricSettings& settings);
std::optional<double> chartqa_number(std::string_view text);  // _to_float

// big_vision's tallyqa: equality after words of numbers became digits; by "issimple" and by count.
void read_tallyqa(const Json& line, const MetricSettings& settings, ExampleReferences& references);
MetricResult score_tallyqa(std::span<const MetricExample> examples, const MetricSettings& settings);

// big_vision's science_qa: the letter of "the answer is X."; "failed" where there is none.
MetricResult score_science_qa(std::span<const MetricExample> examples, const MetricSettings& settings);
std::string science_qa_choice(std::string_view text);

// big_vision's pope, with accuracy, precision, recall and F1 of POPE's own script.
MetricResult score_pope(std::span<const MetricExample> examples, const MetricSettings& settings);

// A-OKVQA's own script, in percent.
void read_aokvqa(const Json& line, const MetricSettings& settings, ExampleReferences& references);
MetricResult score_aokvqa(std::span<const MetricExample> examples, const MetricSettings& settings);

// An example with one right answer, or none.
void read_one_answer(const Json& line, const MetricSettings& settings, ExampleReferences& references);

}  // namespace palisade
