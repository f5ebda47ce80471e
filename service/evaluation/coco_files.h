#pragma once

#include <filesystem>
#include <vector>

#include "service/transfer/transfer_lines.h"
#include "tasks/metrics/metric.h"

namespace palisade {

// Files of COCO's detection tools, which are one JSON document each. What is wrong with an entry is a problem
// with its number in the file. Both throw Error where a file cannot be read or is none of these.

// {"images", "categories", "annotations"}: an example for each image, by its id. Fills settings.categories.
std::vector<MetricExample> read_coco_annotations(const std::filesystem::path& file, MetricSettings& settings,
                                                 LineProblems& problems);
// A list of {"image_id", "category_id", "bbox" or "segmentation", "score"}: no example has then a prediction
// missing.
void read_coco_results(const std::filesystem::path& file, const MetricSettings& settings,
                       std::vector<MetricExample>& examples, LineProblems& problems);

}  // namespace palisade
