#include "service/evaluation/evaluation_comparison.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "base/whole_file.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

// An example's score by one model.
struct ComparedExample {
  double score = 0, p = 0;
  std::string prediction;
};

double score_in(const Json& prediction, const std::string& place) {
  const auto score = prediction.find("score");
  if (score == prediction.end() || !score->is_number())
    throw Error(place + ": has no score; finish the evaluation with --resume");
  return score->get<double>();
}

// Predictions of the second, by id.
std::unordered_map<std::string, ComparedExample> examples_of(const EvaluationFolder& folder) {
  std::unordered_map<std::string, ComparedExample> examples;
  folder.for_each_prediction([&](const Json& json, const std::string& place) {
    if (json.contains("scores") && !json.contains("score")) return;  // of a test set, or of no such score
    const EvaluationAnswer answer = evaluation_answer_of(json, place);
    examples[answer.id] = {score_in(json, place), std::exp(answer.logprob), answer.text};
  });
  return examples;
}

void require_report(const EvaluationFolder& folder) {
  folder.require_fit(true);
  if (!folder.has_report())
    throw UsageError(folder.path().string() + ": has no report yet; finish it with --resume");
}

ShownExample shown_example(const EvaluationLine& line, const EvaluationAnswer& answer, const Json& json,
                           double score) {
  ShownExample shown{.id = line.id,
                     .prompt = line.line.prefix,
                     .references = json.value("references", std::vector<std::string>()),
                     .prediction = answer.text,
                     .score = score,
                     .p = std::exp(answer.logprob),
                     .error = answer.error,
                     .pictures = line.line.pictures,
                     .film = line.line.video};
  if (shown.pictures.size() == 1 && !shown.references.empty())
    shown.truth = read_boxes(shown.references.front()).boxes;
  return shown;
}

// Keeps the largest differences, equal ones in the order of the data.
void keep(std::vector<DifferingExample>& kept, DifferingExample example) {
  const auto size = [](const DifferingExample& one) {
    return std::abs(*one.example.score - one.second_score);
  };
  const auto place = std::ranges::upper_bound(kept, size(example), std::ranges::greater(), size);
  kept.insert(place, std::move(example));
  if (kept.size() > kMaxShown) kept.pop_back();
}

std::string sentence_of(const EvaluationComparison& comparison) {
  const PairedDifference& difference = comparison.difference;
  const bool clear = difference.interval.low > 0 || difference.interval.high < 0;
  return format("{:+.4f} {} of {} examples, 95 % {:+.4f} to {:+.4f}, p {:.3f}: {}", difference.difference,
                comparison.score, comparison.examples, difference.interval.low, difference.interval.high,
                difference.p_value,
                clear ? escaped(comparison.names[difference.difference > 0 ? 1 : 0]) + " is better"
                      : "no clear difference");
}

}  // namespace

EvaluationComparison compare_evaluations(const EvaluationFolder& first, const EvaluationFolder& second) {
  require_report(first);
  require_report(second);
  const EvaluationOrigin origins[2] = {first.origin(), second.origin()};
  const std::string metric = origins[0].settings.metric;
  if (metric != origins[1].settings.metric || origins[0].settings.lower != origins[1].settings.lower)
    throw UsageError("--compare: the evaluations have other metrics: " + metric + " and " +
                     origins[1].settings.metric + "; evaluate both with the same one");
  const Metric* const known = find_metric(metric);
  if (!known || score_name(*known).empty())
    throw UsageError("--compare: metric " + metric + " has no score of each example that could be compared");
  EvaluationComparison comparison{.names = {origins[0].model, origins[1].model},
                                  .settings = origins[0].settings,
                                  .metric = metric,
                                  .score = std::string(score_name(*known))};
  if (comparison.names[0] == comparison.names[1]) {
    comparison.names[0] = first.path().string();
    comparison.names[1] = second.path().string();
  }
  const auto others = examples_of(second);
  // By id, so that the figures are the same in whatever order the lines stand.
  std::map<std::string, std::pair<double, double>> scores;
  LineProblems problems;
  EvaluationLineReader lines(origins[0].settings.data, problems);
  EvaluationLine line;
  first.for_each_prediction([&](const Json& json, const std::string& place) {
    if (!lines.next(line)) throw Error(place + ": the data has no such line; is it the same file?");
    const auto other = others.find(line.id);
    if (other == others.end() || !json.contains("score")) return;
    const double score = score_in(json, place);
    scores[line.id] = {score, other->second.score};
    if (score == other->second.score) return;
    ++comparison.differing;
    keep(score > other->second.score ? comparison.first_better : comparison.second_better,
         {.example = shown_example(line, evaluation_answer_of(json, place), json, score),
          .second_prediction = other->second.prediction,
          .second_score = other->second.score,
          .second_p = other->second.p});
  });
  if (scores.empty())
    throw UsageError("--compare: the evaluations have no example in common; evaluate both on the same data");
  std::vector<double> ones, twos;
  EvaluationComparison::OneRight one_right;
  bool all_or_nothing = true;
  for (const auto& [id, pair] : scores) {
    ones.push_back(pair.first);
    twos.push_back(pair.second);
    for (const double score : {pair.first, pair.second})
      all_or_nothing = all_or_nothing && (score == 0 || score == 1);
    one_right.first_alone += pair.first > pair.second;
    one_right.second_alone += pair.second > pair.first;
    comparison.means[0] += pair.first;
    comparison.means[1] += pair.second;
  }
  comparison.examples = scores.size();
  for (double& mean : comparison.means) mean /= double(scores.size());
  comparison.difference = paired_difference(ones, twos);
  if (all_or_nothing) {
    one_right.p_value = mcnemar_p_value(one_right.first_alone, one_right.second_alone);
    comparison.one_right = one_right;
  }
  return comparison;
}

std::vector<std::string> comparison_lines(const EvaluationComparison& comparison) {
  std::vector<std::string> lines;
  for (int i = 0; i < 2; ++i)
    lines.push_back(format("{:.4f} {}", comparison.means[i], escaped(comparison.names[i])));
  lines.push_back(sentence_of(comparison));
  if (comparison.one_right)
    lines.push_back(format("only the first is right {} times, only the second {} times: McNemar's p {:.4f}",
                           comparison.one_right->first_alone, comparison.one_right->second_alone,
                           comparison.one_right->p_value));
  lines.push_back(
      format("{} of {} examples differ in their score", comparison.differing, comparison.examples));
  for (const auto* const list : {&comparison.first_better, &comparison.second_better}) {
    for (const DifferingExample& one : *list)
      lines.push_back(format("  {}: {} -> \"{}\" ({:.2f}), \"{}\" ({:.2f})", escaped(one.example.id),
                             escaped(one.example.prompt), escaped(one.example.prediction), *one.example.score,
                             escaped(one.second_prediction), one.second_score));
  }
  return lines;
}

Json comparison_json(const EvaluationComparison& comparison) {
  const auto list_of = [](const std::vector<DifferingExample>& examples) {
    Json list = Json::array();
    for (const DifferingExample& one : examples)
      list.push_back({{"id", one.example.id},
                      {"prompt", one.example.prompt},
                      {"references", one.example.references},
                      {"predictions", {one.example.prediction, one.second_prediction}},
                      {"scores", {*one.example.score, one.second_score}}});
    return list;
  };
  const PairedDifference& difference = comparison.difference;
  Json json = {{"models", {comparison.names[0], comparison.names[1]}},
               {"metric", comparison.metric},
               {"score", comparison.score},
               {"examples", comparison.examples},
               {"means", {comparison.means[0], comparison.means[1]}},
               {"difference", difference.difference},
               {"interval", {difference.interval.low, difference.interval.high}},
               {"p_value", difference.p_value},
               {"differing", comparison.differing},
               {"first_better", list_of(comparison.first_better)},
               {"second_better", list_of(comparison.second_better)}};
  if (comparison.one_right)
    json["mcnemar"] = {{"first_alone", comparison.one_right->first_alone},
                       {"second_alone", comparison.one_right->second_alone},
                       {"p_value", comparison.one_right->p_value}};
  return json;
}

void write_comparison(const fs::path& folder, const EvaluationComparison& comparison) {
  std::error_code error;
  if (fs::exists(folder, error) && !fs::is_empty(folder, error))
    throw UsageError(folder.string() + ": is not empty; name another folder");
  fs::create_directories(folder, error);
  if (error) throw Error(folder.string() + ": cannot be made: " + error.message());
  write_whole_file(folder / "comparison.html", comparison_html(comparison));
  write_whole_file(folder / "comparison.json",
                   comparison_json(comparison).dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace palisade
