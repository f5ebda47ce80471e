#include "service/evaluation/evaluation_report.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/format.h"
#include "base/whole_file.h"

namespace palisade {
namespace {

// A confusion table is of a closed question: of few answers, none long, most of which come more than once.
constexpr std::size_t kMaxConfused = 12, kMaxAnswerLength = 24;

// What is right, for people: the answers of a line, whatever they are called.
std::vector<std::string> references_of(const EvaluationLine& line) {
  for (const char* const key : {"answers", "references"}) {
    const auto list = line.json.find(key);
    if (list == line.json.end() || !list->is_array()) continue;
    std::vector<std::string> texts;
    for (const Json& one : *list) texts.push_back(one.is_string() ? one.get<std::string>() : one.dump());
    return texts;
  }
  for (const char* const key : {"answer", "target"}) {
    const auto one = line.json.find(key);
    if (one != line.json.end()) return {one->is_string() ? one->get<std::string>() : one->dump()};
  }
  if (line.json.contains("suffix")) return {line.line.suffix};
  return {};
}

// The places of wrong answers, the most certain first; equal ones in the order of the data.
std::vector<std::size_t> certain_places(const std::vector<EvaluatedExample>& examples) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    if (examples[i].judged && !examples[i].right && !examples[i].failed) places.push_back(i);
  }
  std::ranges::stable_sort(places, std::ranges::greater(), [&](std::size_t i) { return examples[i].p; });
  places.resize(std::min(places.size(), kMaxShown));
  return places;
}

// Worst examples that are not among the most certain ones already.
std::vector<std::size_t> worst_places(const std::vector<EvaluatedExample>& examples,
                                      const std::vector<std::size_t>& certain) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    const EvaluatedExample& example = examples[i];
    const bool good = example.judged ? example.right : example.score.value_or(0) >= 1;
    if (example.score && !good && std::ranges::find(certain, i) == certain.end()) places.push_back(i);
  }
  // Of equal scores the least certain first: the others are shown as the most certain ones.
  std::ranges::stable_sort(places, [&](std::size_t a, std::size_t b) {
    const EvaluatedExample &one = examples[a], &other = examples[b];
    return *one.score != *other.score ? *one.score < *other.score : one.p < other.p;
  });
  places.resize(std::min(places.size(), kMaxShown));
  return places;
}

ShownExample shown(const EvaluationLine& line, const EvaluationAnswer& answer,
                   const EvaluatedExample& example, std::size_t place, bool with_pictures) {
  ShownExample shown{.place = place,
                     .id = line.id,
                     .prompt = line.line.prefix,
                     .references = references_of(line),
                     .prediction = answer.text,
                     .score = example.score ? std::optional<double>(*example.score) : std::nullopt,
                     .p = std::exp(answer.logprob),
                     .error = answer.error};
  if (!with_pictures) return shown;
  shown.pictures = line.line.pictures;
  shown.film = line.line.video;
  if (shown.pictures.size() == 1) {
    shown.found = read_boxes(answer.text).boxes;
    if (!shown.references.empty()) shown.truth = read_boxes(shown.references.front()).boxes;
    if (shown.truth.empty()) shown.truth = read_boxes(line.line.suffix).boxes;
  }
  return shown;
}

// Counts answers of one part of the examples.
class Confusion {
 public:
  void add(const std::string& right, const std::string& said) {
    if (open_) return;
    answers_.insert(right);
    ++counts_[{right, said}];
    // An open question has more answers than a table; it is dropped before it grows.
    if (answers_.size() > kMaxConfused || right.size() > kMaxAnswerLength) open_ = true, counts_.clear();
    ++examples_;
  }
  std::optional<ConfusionTable> table(std::string title) const {
    if (open_ || answers_.size() < 2 || examples_ < 2 * answers_.size()) return std::nullopt;
    ConfusionTable table{.title = std::move(title)};
    std::map<std::string, std::size_t> totals;
    for (const auto& [pair, count] : counts_) totals[pair.first] += count;
    for (const auto& [right, total] : totals) table.answers.push_back(right);
    std::ranges::stable_sort(table.answers, std::ranges::greater(),
                             [&](const std::string& answer) { return totals[answer]; });
    const std::size_t size = table.answers.size();
    table.counts.assign(size, std::vector<std::size_t>(size + 1));
    for (const auto& [pair, count] : counts_) {
      const auto place = [&](const std::string& answer) {
        return std::size_t(std::ranges::find(table.answers, answer) - table.answers.begin());
      };
      table.counts[place(pair.first)][place(pair.second)] += count;
    }
    return table;
  }

 private:
  std::set<std::string> answers_;
  std::map<std::pair<std::string, std::string>, std::size_t> counts_;
  std::size_t examples_ = 0;
  bool open_ = false;
};

double mean_ms(std::chrono::nanoseconds sum, std::size_t count) {
  return count == 0 ? 0 : double(sum.count()) / 1e6 / double(count);
}

}  // namespace

std::string figure_text(double figure) {
  return format("{:.4f}", figure);
}

std::vector<ComparedFigure> compared_figures(const EvaluationReport& report) {
  std::vector<ComparedFigure> compared;
  if (!report.published || report.scores.metrics.empty()) return compared;
  const EvaluatedPart& part = report.scores.metrics.front();
  if (part.metric->name != report.published->metric) return compared;
  for (std::size_t i = 0; i < report.published->figures.size(); ++i) {
    const std::string& name = report.published->figures[i];
    ComparedFigure figure{.name = name};
    if (i < report.published->values.size()) figure.published = report.published->values[i];
    const auto found = part.figures.find(name);
    // BLEU is published as a share, all else in hundredths.
    const double scale = name.starts_with("bleu") ? 1 : part.metric->published_scale;
    if (found != part.figures.end() && found->is_number()) figure.reproduced = scale * found->get<double>();
    // big_vision's "bleu-4" is the list of BLEU-1 to 4.
    if (found != part.figures.end() && found->is_array() && !found->empty() && found->back().is_number())
      figure.reproduced = scale * found->back().get<double>();
    compared.push_back(std::move(figure));
  }
  return compared;
}

EvaluationReport make_report(const EvaluationFolder& folder, const EvaluationOrigin& origin,
                             EvaluationScores scores) {
  EvaluationReport report{.origin = origin, .scores = std::move(scores)};
  const std::vector<std::size_t> certain = certain_places(report.scores.examples),
                                 worst = worst_places(report.scores.examples, certain);
  report.certain_wrong.resize(certain.size());
  report.worst.resize(worst.size());
  const std::vector<EvaluatedPart>& parts =
      report.scores.groups.empty() ? report.scores.metrics : report.scores.groups;
  std::vector<Confusion> confusion(parts.size());
  LineProblems problems;
  EvaluationLineReader lines(origin.settings.data, problems);
  WholeFile scored(folder.predictions());
  std::chrono::nanoseconds encode{0}, prefill{0}, decode{0};
  std::size_t place = 0;
  EvaluationLine line;
  folder.for_each_prediction([&](const Json& json, const std::string& where) {
    if (!lines.next(line)) throw Error(where + ": the data has no such line; is it the same file?");
    const EvaluationAnswer answer = evaluation_answer_of(json, where);
    const EvaluatedExample& example = report.scores.examples.at(place);
    const std::vector<std::string> references = references_of(line);
    if (example.judged) report.judged.push_back({std::exp(answer.logprob), example.right});
    if (example.judged && !references.empty() && parts[example.part].constant)
      confusion[example.part].add(most_frequent(references), answer.text);
    encode += answer.timing.encode;
    prefill += answer.timing.prefill;
    decode += answer.timing.decode;
    report.speed.images_encoded += std::size_t(answer.images_encoded);
    report.speed.tokens += std::size_t(answer.tokens);
    report.speed.seconds += json.value("seconds", 0.0);
    const auto show_in = [&](const std::vector<std::size_t>& places, std::vector<ShownExample>& into) {
      const auto found = std::ranges::find(places, place);
      if (found != places.end())
        into[std::size_t(found - places.begin())] = shown(line, answer, example, place, true);
    };
    show_in(certain, report.certain_wrong);
    show_in(worst, report.worst);
    if (place < kMaxListed) report.all.push_back(shown(line, answer, example, place, false));
    Json with_scores = json;
    with_scores["references"] = references;
    with_scores["scores"] = report.scores.scores.at(place);
    const Metric* const metric = find_metric(line.metric.empty() ? origin.settings.metric : line.metric);
    if (example.score)
      with_scores["score"] = report.scores.scores.at(place).at(std::string(score_name(*metric)));
    scored.write(json_line(with_scores) + "\n");
    ++place;
  });
  scored.commit();
  // So that their sums are the same in whatever order the lines stand.
  std::ranges::sort(report.judged, {},
                    [](const JudgedChoice& choice) { return std::pair(choice.p, choice.right); });
  report.speed.encode_ms = mean_ms(encode, place);
  report.speed.prefill_ms = mean_ms(prefill, place);
  report.speed.decode_ms = mean_ms(decode, place);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string name = parts[i].group.empty() ? std::string(parts[i].metric->name) : parts[i].group;
    if (auto table = confusion[i].table(name)) report.confusion.push_back(*std::move(table));
  }
  return report;
}

void write_reports(const EvaluationFolder& folder, const EvaluationReport& report) {
  write_whole_file(folder.report("html"), report_html(report));
  write_whole_file(folder.report("md"), report_markdown(report));
  write_whole_file(folder.report("json"),
                   report_json(report).dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace palisade
