#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tasks/metrics/metric.h"

namespace palisade {

// A file of data and one of predictions, matched by "id".
struct ScoredFiles {
  std::vector<MetricExample> examples;  // in the order of the data
  std::vector<std::string> places;      // "FILE:LINE" of each in the data
  std::size_t missing = 0;              // examples that nothing was predicted for
  std::vector<std::string> remarks;     // what the reader should know of single lines, with file and line
};

// Reads the JSON lines of both files for `metric`. Throws SettingsError with file and line of every problem,
// and how many there are: lines that are no JSON, an id twice (captions: the references add up and the last
// prediction counts, as in the reference), a prediction without its example, references of a wrong kind.
// Throws Error where a file cannot be read. For detection it fills settings.categories, and takes the files of
// COCO's tools, NAME.json, as well.
ScoredFiles read_scored_files(const Metric& metric, MetricSettings& settings,
                              const std::filesystem::path& data, const std::filesystem::path& predictions);

}  // namespace palisade
