#include "tasks/metrics/detection.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "base/format.h"
#include "tasks/metrics/detection_figures.h"
#include "tasks/metrics/example_lines.h"
#include "tasks/metrics/mask_polygons.h"
#include "tasks/metrics/text_boxes.h"

namespace palisade {
namespace {

constexpr double kBoxScale = 1023;
constexpr std::int64_t kMostId = std::int64_t(1) << 53;

std::int64_t category_of(const Json& object, const MetricSettings& settings, bool may_be_other) {
  if (given(object, "category_id")) {
    const std::int64_t id = whole_number_of_line(object, "category_id", 0, kMostId);
    if (settings.categories.contains(id)) return id;
    if (may_be_other) return kOtherCategory;
    throw Error(format("there is no category with the id {}", id));
  }
  const std::string label = text_of_line(object, given(object, "category") ? "category" : "label");
  const auto named = [&](const auto& category) { return category.second == label; };
  const auto found = std::ranges::find_if(settings.categories, named);
  if (found != settings.categories.end()) return found->first;
  if (may_be_other) return kOtherCategory;
  throw Error(format("there is no category \"{}\"", label));
}

std::array<double, 4> box_in(const Json& object) {
  const char* const key = given(object, "bbox") ? "bbox" : "box";
  if (!given(object, key)) throw Error("\"bbox\" is missing: [x, y, width, height]");
  const std::array<double, 4> box = four_numbers_of(object.at(key), key);
  if (box[2] < 0 || box[3] < 0) throw Error(format("\"{}\" has a width or height below 0", key));
  return box;
}

MaskRuns polygons_in(const Json& list, int width, int height) {
  if (width == 0) throw Error("polygons need the \"width\" and \"height\" of the picture");
  std::vector<std::vector<double>> polygons;
  for (const Json& points : list) {
    if (!points.is_array())
      throw Error("\"segmentation\" is no list of polygons, which are lists of numbers");
    std::vector<double>& polygon = polygons.emplace_back();
    for (const Json& number : points) polygon.push_back(json_number_of(number, "segmentation"));
  }
  return mask_of_polygons(polygons, height, width);
}

// The code of a mask: {"size": [height, width], "counts": ...}, where the counts may be a list of runs.
MaskRuns code_in(const Json& code, int width, int height) {
  if (!given(code, "size") || !code.at("size").is_array() || code.at("size").size() != 2)
    throw Error("the \"size\" of a mask is no [height, width]");
  const Json size = {{"height", code.at("size")[0]}, {"width", code.at("size")[1]}};
  const auto its_height = int(whole_number_of_line(size, "height", 1, kMostPictureSide));
  const auto its_width = int(whole_number_of_line(size, "width", 1, kMostPictureSide));
  if (width > 0 && (its_width != width || its_height != height))
    throw Error(format("a mask of {} x {} pixels, where the picture has {} x {}", its_width, its_height,
                       width, height));
  require_mask_size(its_height, its_width);
  if (!given(code, "counts") || !code.at("counts").is_array())
    return read_mask_runs(text_of_line(code, "counts"), its_height, its_width);
  MaskRuns mask{.height = its_height, .width = its_width};
  std::int64_t sum = 0;
  const std::int64_t pixels = std::int64_t(its_height) * its_width;
  for (const Json& run : code.at("counts")) {
    const Json counted = {{"counts", run}};
    mask.runs.push_back(std::uint32_t(whole_number_of_line(counted, "counts", 0, pixels)));
    sum += mask.runs.back();
  }
  if (sum != pixels) throw Error(format("a mask of another size than {} x {} pixels", its_width, its_height));
  return mask;
}

std::optional<MaskRuns> mask_in(const Json& object, int width, int height) {
  if (!given(object, "segmentation")) return std::nullopt;
  const Json& code = object.at("segmentation");
  if (code.is_array()) return polygons_in(code, width, height);
  if (!code.is_object()) throw Error("\"segmentation\" is neither a run-length code nor a list of polygons");
  return code_in(code, width, height);
}

void require_json_object(const Json& object) {
  if (!object.is_object()) throw Error("an object is no JSON object ({...})");
}

Json json_of(const DetectionFigures& figures) {
  return {{"AP", figures.ap},
          {"AP50", figures.ap50},
          {"AP75", figures.ap75},
          {"AP_small", figures.ap_small},
          {"AP_medium", figures.ap_medium},
          {"AP_large", figures.ap_large},
          {"AR1", figures.ar1},
          {"AR10", figures.ar10},
          {"AR100", figures.ar100},
          {"AR_small", figures.ar_small},
          {"AR_medium", figures.ar_medium},
          {"AR_large", figures.ar_large}};
}

Json json_of(const MatchedObject& match) {
  const auto at = [&](std::size_t threshold) {
    return match.judged ? Json{match.at[threshold].labelled, match.at[threshold].ignored} : Json(nullptr);
  };
  return {{"at_0.50", at(0)}, {"at_0.75", at(5)}};
}

// The objects of all examples as COCO's evaluation takes them.
class DetectionSet {
 public:
  DetectionSet(std::span<const MetricExample> examples, const MetricSettings& settings) {
    for (const MetricExample& example : examples) {
      labelled_.push_back(example.references.objects);
      for (const LabelledObject& object : labelled_.back()) last_id_ = std::max(last_id_, object.id);
      found_.push_back(example.prediction.found
                           ? *example.prediction.found
                           : objects_of_answer(example.prediction.text, settings, example.references.width,
                                               example.references.height));
    }
    for (std::vector<LabelledObject>& objects : labelled_) {
      for (LabelledObject& object : objects) {
        if (object.id == 0) object.id = ++last_id_;
      }
    }
    order_.resize(examples.size());
    std::iota(order_.begin(), order_.end(), 0);
    std::ranges::stable_sort(order_,
                             [&](std::size_t a, std::size_t b) { return examples[a].id < examples[b].id; });
  }

  // Masks where every object has one; boxes where none of the labelled ones has.
  bool of_masks() const {
    std::size_t labelled = 0, with_mask = 0;
    for (const auto& objects : labelled_) {
      labelled += objects.size();
      with_mask += std::size_t(std::ranges::count_if(objects, has_mask<LabelledObject>));
    }
    std::size_t found = 0, found_masks = 0;
    for (const auto& objects : found_) {
      found += objects.size();
      found_masks += std::size_t(std::ranges::count_if(objects, has_mask<FoundObject>));
    }
    return found_masks > 0 && found_masks == found && with_mask == labelled;
  }

  DetectionResult judge(const std::vector<std::int64_t>& categories) const {
    std::vector<JudgedPicture> pictures;
    for (const std::size_t i : order_) pictures.push_back({labelled_[i], found_[i]});
    return judge_detections(pictures, categories, of_masks());
  }

  const std::vector<std::size_t>& order() const { return order_; }

 private:
  template <typename Object>
  static bool has_mask(const Object& object) {
    return object.mask.has_value();
  }

  std::vector<std::vector<LabelledObject>> labelled_;
  std::vector<std::vector<FoundObject>> found_;
  std::vector<std::size_t> order_;  // of the examples, by id
  std::int64_t last_id_ = 0;
};

}  // namespace

LabelledObject read_labelled_object(const Json& object, const MetricSettings& settings, int width,
                                    int height) {
  require_json_object(object);
  LabelledObject read{.category = category_of(object, settings, false),
                      .mask = mask_in(object, width, height)};
  if (given(object, "id")) read.id = whole_number_of_line(object, "id", 0, kMostId);
  if (given(object, "iscrowd")) {
    const Json& crowd = object.at("iscrowd");
    read.crowd = crowd.is_boolean() ? crowd.get<bool>() : whole_number_of_line(object, "iscrowd", 0, 1) == 1;
  }
  read.box = read.mask && !given(object, "bbox") ? box_of(*read.mask) : box_in(object);
  read.area = given(object, "area") ? json_number_of(object.at("area"), "area")
              : read.mask           ? double(area_of(*read.mask))
                                    : read.box[2] * read.box[3];
  return read;
}

FoundObject read_found_object(const Json& object, const MetricSettings& settings, int width, int height) {
  require_json_object(object);
  FoundObject read{.category = category_of(object, settings, settings.other_categories),
                   .mask = mask_in(object, width, height)};
  read.box = read.mask && !given(object, "bbox") ? box_of(*read.mask) : box_in(object);
  if (given(object, "score")) read.score = json_number_of(object.at("score"), "score");
  return read;
}

std::vector<FoundObject> objects_of_answer(std::string_view answer, const MetricSettings& settings, int width,
                                           int height) {
  std::vector<FoundObject> objects;
  for (const WrittenBox& written : written_boxes(answer)) {
    const auto named = [&](const auto& category) { return category.second == written.label; };
    const auto category = std::ranges::find_if(settings.categories, named);
    if (category == settings.categories.end()) continue;
    const auto edge = [&](std::size_t i) {
      return written.locations[i] / kBoxScale * (i % 2 == 0 ? height : width);
    };
    const std::array<double, 4> box = {edge(1), edge(0), edge(3) - edge(1), edge(2) - edge(0)};
    if (box[2] > 0 && box[3] > 0) objects.push_back({.category = category->first, .box = box});
  }
  return objects;
}

bool collect_categories(const Json& line, std::map<std::int64_t, std::string>& categories) {
  const auto add = [&](const Json& one, const char* name_key) {
    if (!one.is_object()) return;
    const bool has_name = one.contains(name_key) && one.at(name_key).is_string();
    const std::string name = has_name ? one.at(name_key).get<std::string>() : "";
    const char* const id_key = one.contains("category_id") ? "category_id" : "id";
    const bool by_id = one.contains(id_key) && one.at(id_key).is_number_unsigned() &&
                       one.at(id_key).get<std::uint64_t>() <= std::uint64_t(kMostId);
    if (by_id && (name_key == std::string_view("name") || one.contains("category_id"))) {
      const auto id = one.at(id_key).get<std::int64_t>();
      std::string& label = categories.try_emplace(id, format("{}", id)).first->second;
      if (has_name) label = name;
      return;
    }
    const auto named = [&](const auto& category) { return category.second == name; };
    if (!has_name || std::ranges::any_of(categories, named)) return;
    categories[categories.empty() ? 1 : categories.rbegin()->first + 1] = name;
  };
  const auto add_all = [&](const char* key, const char* name_key) {
    if (!line.is_object() || !line.contains(key) || !line.at(key).is_array()) return;
    for (const Json& one : line.at(key))
      add(one, one.is_object() && one.contains("label") ? "label" : name_key);
  };
  add_all("categories", "name");
  add_all("annotations", "category");
  add_all("objects", "category");
  return line.is_object() && line.contains("categories") && line.at("categories").is_array();
}

bool read_found_objects(const Json& line, const MetricSettings& settings, const ExampleReferences& references,
                        ExamplePrediction& prediction) {
  const bool listed = given(line, "prediction") && line.at("prediction").is_array();
  const char* const key = listed ? "prediction" : "detections";
  if (!given(line, key)) return false;
  if (!line.at(key).is_array()) throw Error(format("\"{}\" is no list of objects", key));
  std::vector<FoundObject>& found = prediction.found.emplace();
  for (const Json& object : line.at(key))
    found.push_back(read_found_object(object, settings, references.width, references.height));
  return true;
}

void read_detection(const Json& line, const MetricSettings& settings, ExampleReferences& references) {
  if (given(line, "width") || given(line, "height")) {
    references.width = int(whole_number_of_line(line, "width", 1, kMostPictureSide));
    references.height = int(whole_number_of_line(line, "height", 1, kMostPictureSide));
  }
  const char* const key = line.contains("annotations") ? "annotations" : "objects";
  if (!line.contains(key))
    throw Error("no references: \"annotations\" is missing; a picture without any has []");
  const Json& objects = line.at(key);
  if (!objects.is_array())
    throw Error(format("\"{}\" is {}, not a list of objects", key, objects.type_name()));
  for (const Json& object : objects)
    references.objects.push_back(read_labelled_object(object, settings, references.width, references.height));
}

MetricResult score_detection(std::span<const MetricExample> examples, const MetricSettings& settings) {
  std::vector<std::int64_t> categories;
  for (const auto& [id, label] : settings.categories) categories.push_back(id);
  const DetectionSet set(examples, settings);
  const DetectionResult judged = set.judge(categories);
  MetricResult result;
  result.examples.resize(examples.size());
  for (std::size_t p = 0; p < set.order().size(); ++p) {
    Json& matches = result.examples[set.order()[p]].details["matches"] = Json::array();
    for (const MatchedObject& match : judged.matches[p]) matches.push_back(json_of(match));
  }
  result.figures = json_of(judged.all);
  for (const auto& [category, figures] : judged.categories) {
    Json its = json_of(figures);
    its["category_id"] = category;
    its["label"] = settings.categories.at(category);
    result.figures["per_category"].push_back(std::move(its));
  }
  return result;
}

}  // namespace palisade
