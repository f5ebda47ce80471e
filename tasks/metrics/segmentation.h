#pragma once

#include <optional>

#include "tasks/metrics/metric.h"

namespace palisade {

// An answer to "segment": four locations, of 0 to 1023, and sixteen codes of a mask.
struct SegmentAnswer {
  std::array<int, 4> box{};  // y1, x1, y2, x2
  std::array<int, 16> codes{};
};
// Nothing where the answer does not begin with them, or the box has no area.
std::optional<SegmentAnswer> segment_answer(std::string_view text);

// big_vision's evaluator segmentation: IoU of masks in pixels, and which share of boxes overlaps enough.
// Needs MetricSettings::decode_mask.
void read_segmentation(const Json& line, const MetricSettings& settings, ExampleReferences& references);
MetricResult score_segmentation(std::span<const MetricExample> examples, const MetricSettings& settings);

}  // namespace palisade
