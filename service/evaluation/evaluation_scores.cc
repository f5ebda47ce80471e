#include "service/evaluation/evaluation_scores.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "base/error.h"
#include "base/format.h"
#include "model/masks/mask_decoder.h"
#include "tasks/boxes.h"
#include "tasks/metrics/detection.h"

namespace palisade {
namespace {

// Draws of an interval whose figure is computed anew each time.
constexpr int kCostlyDraws = 200;
// A score that depends on all examples is computed again when there are so many, then twice as many ...
constexpr std::size_t kFirstScore = 25;
// From this on an answer with a score from 0 to 1 counts as right.
constexpr double kRightScore = 0.5;

bool is_detection(const Metric& metric) {
  return metric.name == "detection";
}
bool is_caption(const Metric& metric) {
  return metric.name == "caption";
}
// Scores of each example before all of them are there.
bool is_mean(const Metric& metric) {
  return !metric.main_score.empty() && !is_caption(metric);
}
bool has_short_answers(const Metric& metric) {
  return !is_detection(metric) && !is_caption(metric) && metric.name != "segmentation";
}

const Metric& known_metric(const std::string& name) {
  if (const Metric* const metric = find_metric(name)) return *metric;
  std::string names;
  for (const Metric& metric : all_metrics()) names += (names.empty() ? "" : ", ") + std::string(metric.name);
  throw Error("there is no metric '" + name + "'; one of " + names);
}

// The names of what is annotated in a line. Objects with a category's number are put into `numbered`, a line
// of them alone.
void add_labels(const Json& json, std::set<std::string>& labels, Json& numbered) {
  for (const char* const list : {"annotations", "objects"}) {
    const auto objects = json.find(list);
    if (objects == json.end() || !objects->is_array()) continue;
    for (const Json& object : *objects) {
      if (!object.is_object()) continue;
      if (object.contains("category_id")) {
        numbered[list].push_back(object);
        continue;
      }
      for (const char* const key : {"category", "label"}) {
        const auto label = object.find(key);
        if (label != object.end() && label->is_string()) labels.insert(label->get<std::string>());
      }
    }
  }
}

// The boxes of an answer in pixels, each with its confidence; those of a label that no line has are left out,
// as nothing can be right or wrong about them.
std::vector<FoundObject> found_in(const EvaluationAnswer& answer, const ExampleReferences& references,
                                  const std::map<std::string, std::int64_t>& categories) {
  std::vector<FoundObject> found;
  const std::vector<Box> boxes = read_boxes(answer.text).boxes;
  const LocationScale scale;
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    const auto category = categories.find(boxes[i].label);
    if (category == categories.end()) continue;
    const double x = scale.share(boxes[i].x_min) * references.width;
    const double y = scale.share(boxes[i].y_min) * references.height;
    found.push_back({.category = category->second,
                     .box = {x, y, scale.share(boxes[i].x_max) * references.width - x,
                             scale.share(boxes[i].y_max) * references.height - y},
                     .score = answer.box_confidences.at(i)});
  }
  return found;
}

// What the best constant answer would have, and how many answers there are.
void add_constant(std::span<const MetricExample> examples, EvaluatedPart& part) {
  std::map<std::string, int> counts;
  int answered = 0, most = 0;
  for (const MetricExample& example : examples) {
    if (example.references.answers.empty()) continue;
    ++answered;
    most = std::max(most, ++counts[most_frequent(example.references.answers)]);
  }
  part.answers = counts.size();
  if (answered > 0) part.constant = double(most) / answered;
}

std::optional<double> main_of(const Metric& metric, const MetricResult& result) {
  const auto found = result.figures.find(metric.main_figure);
  if (found == result.figures.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

std::optional<double> main_score_of(const Metric& metric, const Json& scores) {
  const std::string_view name = score_name(metric);
  const auto found = scores.find(name);
  if (found == scores.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

std::optional<ScoreInterval> interval_of_main(const Metric& metric, std::span<const MetricExample> examples,
                                              const MetricResult& result, const MetricSettings& settings) {
  if (!metric.main_score.empty()) {
    std::vector<double> scores;
    for (const ExampleScore& one : result.examples) {
      if (const auto score = main_score_of(metric, one.scores)) scores.push_back(*score);
    }
    if (scores.empty()) return std::nullopt;
    return mean_interval(scores);
  }
  if (examples.empty() || !main_of(metric, result)) return std::nullopt;
  return figure_interval(examples.size(), kCostlyDraws, [&](std::span<const std::size_t> places) {
    std::vector<MetricExample> drawn;
    for (const std::size_t place : places) drawn.push_back(examples[place]);
    return main_of(metric, metric.score(drawn, settings)).value_or(0);
  });
}

}  // namespace

std::string_view score_name(const Metric& metric) {
  return metric.main_score.empty() && metric.name == "rsvqa" ? "acc_any" : metric.main_score;
}

std::string most_frequent(const std::vector<std::string>& answers) {
  std::map<std::string_view, int> counts;
  for (const std::string& answer : answers) ++counts[answer];
  const auto most =
      std::ranges::max_element(answers, {}, [&](const std::string& answer) { return counts[answer]; });
  return most == answers.end() ? "" : *most;
}

struct EvaluationScorer::Parts {
  // An example of one metric, and where it stands in the data.
  struct Placed {
    MetricExample example;
    std::string id;
    std::size_t place = 0;
    std::string group;
  };
  struct OfMetric {
    const Metric* metric = nullptr;
    std::vector<Placed> examples;
  };

  const EvaluationSettings settings;
  MetricSettings metric_settings;
  std::set<std::string> labels;                    // of objects without a category's number
  std::map<std::int64_t, std::string> numbered;    // categories by the data's own numbers
  std::map<std::string, std::int64_t> categories;  // of all labels
  std::set<std::string> looked_metrics, groups;
  std::map<std::string, OfMetric> metrics;  // by name
  EvaluationScores scores;
  const Metric* first = nullptr;
  // Of the first metric, where each example has a score of its own.
  double sum = 0;
  std::size_t counted = 0;
  std::optional<double> last_score;
  std::size_t next_score = kFirstScore;

  const Metric& metric_of(const EvaluationLine& line) const {
    return known_metric(line.metric.empty() ? settings.metric : line.metric);
  }

  void add_categories(const Json& line) {
    Json by_number = Json::object();
    if (line.contains("categories")) by_number["categories"] = line.at("categories");
    add_labels(line, labels, by_number);
    collect_categories(by_number, numbered);
  }

  // Those without a number of their own get one by the order of their names, not by that of the lines.
  void number_categories() {
    metric_settings.categories = numbered;
    categories.clear();
    for (const auto& [number, label] : numbered) categories.try_emplace(label, number);
    std::int64_t last = numbered.empty() ? 0 : numbered.rbegin()->first;
    for (const std::string& label : labels) {
      if (!categories.try_emplace(label, last + 1).second) continue;
      metric_settings.categories[++last] = label;
    }
  }

  EvaluatedPart part_of(const Metric& metric, std::span<const MetricExample> examples,
                        const MetricResult& result, const std::string& group) const {
    EvaluatedPart part{.group = group, .metric = &metric, .examples = examples.size()};
    part.figures = result.figures;
    for (const auto& [name, value] : result.official.items()) part.figures.emplace("official " + name, value);
    part.main = main_of(metric, result);
    part.interval = interval_of_main(metric, examples, result, metric_settings);
    if (has_short_answers(metric)) add_constant(examples, part);
    return part;
  }

  void judge(const Metric& metric, const Json& its_scores, EvaluatedExample& example) const {
    const auto score = main_score_of(metric, its_scores);
    if (!score) return;
    example.score = float(*score);
    example.judged = !is_caption(metric);
    example.right = example.judged && *score >= kRightScore;
  }

  void finish(OfMetric& of_metric) {
    const Metric& metric = *of_metric.metric;
    std::ranges::sort(of_metric.examples, {}, &Placed::id);
    std::vector<MetricExample> all;
    std::map<std::string, std::vector<std::size_t>> by_group;
    for (std::size_t i = 0; i < of_metric.examples.size(); ++i) {
      if (!groups.empty()) by_group[of_metric.examples[i].group].push_back(i);
      all.push_back(std::move(of_metric.examples[i].example));
    }
    const MetricResult result = metric.score(all, metric_settings);
    for (std::size_t i = 0; i < all.size(); ++i) {
      const std::size_t place = of_metric.examples[i].place;
      scores.scores[place] = result.examples.at(i).scores;
      judge(metric, scores.scores[place], scores.examples[place]);
      scores.examples[place].part = std::uint16_t(scores.metrics.size());
    }
    scores.metrics.push_back(part_of(metric, all, result, ""));
    for (const auto& [group, places] : by_group) {
      std::vector<MetricExample> its;
      for (const std::size_t i : places) {
        its.push_back(all[i]);
        scores.examples[of_metric.examples[i].place].part = std::uint16_t(scores.groups.size());
      }
      scores.groups.push_back(part_of(metric, its, metric.score(its, metric_settings), group));
    }
  }
};

EvaluationScorer::EvaluationScorer(const EvaluationSettings& settings)
    : parts_(std::make_unique<Parts>(Parts{.settings = settings})) {
  known_metric(settings.metric);
  parts_->metric_settings.lower = settings.lower;
  if (settings.mask_decoder.empty()) return;
  parts_->metric_settings.decode_mask = [decoder = std::make_shared<MaskDecoder>(settings.mask_decoder)](
                                            std::span<const int> codes) { return decoder->decode(codes); };
}

EvaluationScorer::~EvaluationScorer() = default;

void EvaluationScorer::look(const EvaluationLine& line) {
  const Metric& metric = parts_->metric_of(line);
  if (metric.name == "segmentation" && !parts_->metric_settings.decode_mask)
    throw Error(
        "its metric compares masks; name the weights that decode them with --mask-decoder vae-oid.npz");
  if (is_detection(metric)) {
    parts_->add_categories(line.json);
    parts_->number_categories();
  }
  read_metric_references(metric, line.json, parts_->metric_settings);
  parts_->looked_metrics.insert(std::string(metric.name));
  if (!line.group.empty()) parts_->groups.insert(line.group);
  if (!parts_->first) parts_->first = &metric;
}

void EvaluationScorer::look_at_categories(const Json& line) {
  parts_->add_categories(line);
  parts_->number_categories();
}

void EvaluationScorer::require_names() const {
  for (const auto& [number, label] : parts_->numbered) {
    if (label == format("{}", number))
      throw Error(
          format("the category_id {} has no name, by which a model answers: give each object its "
                 "\"category\", or a line {{\"categories\": [{{\"id\": {}, \"name\": ...}}]}}",
                 number, number));
  }
}

void EvaluationScorer::add(const EvaluationLine& line, const EvaluationAnswer& answer) {
  Parts& parts = *parts_;
  const Metric& metric = parts.metric_of(line);
  MetricExample example{.id = read_metric_id(line.json),
                        .references = read_metric_references(metric, line.json, parts.metric_settings)};
  example.prediction.text = answer.text;
  if (is_detection(metric)) example.prediction.found = found_in(answer, example.references, parts.categories);
  parts.scores.examples.push_back({.p = float(std::exp(answer.logprob)), .failed = !answer.error.empty()});
  parts.scores.failed += !answer.error.empty();
  if (is_mean(metric) && &metric == &first_metric()) {
    const MetricResult alone = metric.score({&example, 1}, parts.metric_settings);
    if (const auto score = main_score_of(metric, alone.examples.at(0).scores)) {
      parts.sum += *score;
      ++parts.counted;
    }
  }
  auto& of_metric = parts.metrics[std::string(metric.name)];
  of_metric.metric = &metric;
  of_metric.examples.push_back({.example = std::move(example),
                                .id = line.id,
                                .place = parts.scores.examples.size() - 1,
                                .group = line.group});
}

std::size_t EvaluationScorer::size() const {
  return parts_->scores.examples.size();
}

const Metric& EvaluationScorer::first_metric() const {
  const bool used = parts_->looked_metrics.contains(parts_->settings.metric);
  return used || !parts_->first ? known_metric(parts_->settings.metric) : *parts_->first;
}

std::optional<double> EvaluationScorer::score_so_far() {
  Parts& parts = *parts_;
  const Metric& metric = first_metric();
  if (is_mean(metric))
    return parts.counted == 0 ? std::nullopt : std::optional(parts.sum / double(parts.counted));
  const auto& examples = parts.metrics[std::string(metric.name)].examples;
  if (examples.size() < parts.next_score) return parts.last_score;
  parts.next_score = 2 * examples.size();
  std::vector<MetricExample> all;
  for (const auto& placed : examples) all.push_back(placed.example);
  return parts.last_score = main_of(metric, metric.score(all, parts.metric_settings));
}

EvaluationScores EvaluationScorer::finish() {
  Parts& parts = *parts_;
  parts.scores.scores.resize(parts.scores.examples.size());
  const std::string first(first_metric().name);
  if (parts.metrics.contains(first)) parts.finish(parts.metrics[first]);
  for (auto& [name, of_metric] : parts.metrics) {
    if (name != first && of_metric.metric) parts.finish(of_metric);
  }
  return std::move(parts.scores);
}

}  // namespace palisade
