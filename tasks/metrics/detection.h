#pragma once

#include <map>
#include <string>

#include "tasks/metrics/metric.h"

namespace palisade {

// COCO's AP and AR of boxes, or of masks where every object has one. A prediction is a list of objects with
// scores, or an answer to "detect", whose boxes have the score 1 in the order of the text.
void read_detection(const Json& line, const MetricSettings& settings, ExampleReferences& references);
MetricResult score_detection(std::span<const MetricExample> examples, const MetricSettings& settings);

// Of a found object whose category the data has not: it can be neither right nor wrong.
inline constexpr std::int64_t kOtherCategory = -1;

// An object of COCO's annotations and one of its results. Throw Error naming the key.
LabelledObject read_labelled_object(const Json& object, const MetricSettings& settings, int width,
                                    int height);
FoundObject read_found_object(const Json& object, const MetricSettings& settings, int width, int height);

// Adds the categories that a line of the data names: "categories", or those of its objects. Whether it names
// all, in "categories". Accepts any line.
bool collect_categories(const Json& line, std::map<std::int64_t, std::string>& categories);

// Reads "detections", or a "prediction" that is a list of objects; false where the line has neither.
bool read_found_objects(const Json& line, const MetricSettings& settings, const ExampleReferences& references,
                        ExamplePrediction& prediction);

// The boxes of an answer in pixels, whose labels are categories and which have an area.
std::vector<FoundObject> objects_of_answer(std::string_view answer, const MetricSettings& settings, int width,
                                           int height);

}  // namespace palisade
