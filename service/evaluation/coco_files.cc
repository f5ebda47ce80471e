#include "service/evaluation/coco_files.h"

#include <functional>
#include <map>

#include "base/format.h"
#include "base/json.h"
#include "tasks/metrics/detection.h"
#include "tasks/metrics/example_lines.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxCocoBytes = std::size_t(1) << 30;  // COCO's own of 118,000 pictures have 450 MB
constexpr std::int64_t kMostId = std::int64_t(1) << 53;
constexpr int kMostCocoSide = 1 << 16;

// Hands each entry of a list to `take`; what it throws is a problem of that entry.
void for_each_entry(const Json& list, const std::string& name, LineProblems& problems,
                    const std::function<void(const Json& entry)>& take) {
  int number = 0;
  for (const Json& entry : list) {
    ++number;
    try {
      if (!entry.is_object()) throw Error("is no JSON object ({...})");
      take(entry);
    } catch (const Error& problem) {
      problems.add(int(problems.size()) + 1, format("{}[{}]: {}", name, number - 1, problem.what()));
    }
  }
}

const Json& list_of(const Json& whole, const char* key, const fs::path& file) {
  if (!whole.contains(key) || !whole.at(key).is_array())
    throw UsageError(format("{}: has no list of \"{}\", as COCO's annotations have", file.string(), key));
  return whole.at(key);
}

std::map<std::int64_t, std::size_t> places_of(const std::vector<MetricExample>& examples) {
  std::map<std::int64_t, std::size_t> places;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    if (examples[i].id.is_number_integer()) places[examples[i].id.get<std::int64_t>()] = i;
  }
  return places;
}

MetricExample& example_of(const Json& entry, const std::map<std::int64_t, std::size_t>& places,
                          std::vector<MetricExample>& examples) {
  const auto found = places.find(whole_number_of_line(entry, "image_id", 0, kMostId));
  if (found == places.end())
    throw Error(format("there is no image with the id {}", entry.at("image_id").dump()));
  return examples[found->second];
}

}  // namespace

std::vector<MetricExample> read_coco_annotations(const fs::path& file, MetricSettings& settings,
                                                 LineProblems& problems) {
  const Json whole = read_json(file, kMaxCocoBytes);
  const std::string name = file.string() + ": ";
  std::vector<MetricExample> examples;
  std::map<std::int64_t, std::size_t> places;
  for_each_entry(list_of(whole, "images", file), name + "images", problems, [&](const Json& entry) {
    MetricExample example{.id = whole_number_of_line(entry, "id", 0, kMostId)};
    example.references.width = int(whole_number_of_line(entry, "width", 1, kMostCocoSide));
    example.references.height = int(whole_number_of_line(entry, "height", 1, kMostCocoSide));
    example.prediction.missing = true;
    if (!places.try_emplace(example.id.get<std::int64_t>(), examples.size()).second)
      throw Error(format("the id {} stands twice", example.id.dump()));
    examples.push_back(std::move(example));
  });
  for_each_entry(list_of(whole, "categories", file), name + "categories", problems, [&](const Json& entry) {
    if (!settings.categories
             .try_emplace(whole_number_of_line(entry, "id", 0, kMostId), text_of_line(entry, "name"))
             .second)
      throw Error(format("the id {} stands twice", entry.at("id").dump()));
  });
  for_each_entry(list_of(whole, "annotations", file), name + "annotations", problems, [&](const Json& entry) {
    ExampleReferences& references = example_of(entry, places, examples).references;
    references.objects.push_back(read_labelled_object(entry, settings, references.width, references.height));
  });
  return examples;
}

void read_coco_results(const fs::path& file, const MetricSettings& settings,
                       std::vector<MetricExample>& examples, LineProblems& problems) {
  const Json whole = read_json(file, kMaxCocoBytes);
  const bool is_list = whole.is_array();
  if (!is_list && !(whole.is_object() && whole.contains("detections") && whole.at("detections").is_array()))
    throw UsageError(file.string() + ": is no list of results, as COCO's tools write them");
  for (MetricExample& example : examples) example.prediction = {.found = std::vector<FoundObject>()};
  const auto places = places_of(examples);
  for_each_entry(
      is_list ? whole : whole.at("detections"), file.string() + ": ", problems, [&](const Json& entry) {
        MetricExample& example = example_of(entry, places, examples);
        example.prediction.found->push_back(
            read_found_object(entry, settings, example.references.width, example.references.height));
      });
}

}  // namespace palisade
