#include "service/evaluation/scored_files.h"

#include <algorithm>
#include <functional>
#include <map>

#include "base/format.h"
#include "base/input_file.h"
#include "service/evaluation/coco_files.h"
#include "service/settings/settings.h"
#include "service/transfer/line_mistakes.h"
#include "service/transfer/transfer_lines.h"
#include "tasks/metrics/detection.h"
#include "tasks/metrics/ptb_tokenizer.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxScoredLineBytes = 16u << 20;  // masks and captions of a picture

std::string place_of(const fs::path& file, int line) {
  return format("{}:{}", file.string(), line);
}

// The JSON of a line, with the likely mistake where it is none.
Json json_of(const std::string& text, const std::string& place, bool last) {
  try {
    return parse_json(text, place);
  } catch (const Error&) {
    const std::string mistake = line_mistake(text, last);
    if (!mistake.empty()) throw Error(place + ": " + mistake);
    throw;
  }
}

// Hands each line of a file to `take`; what it throws is a problem of that line.
void for_each_line(const fs::path& file, LineProblems& problems,
                   const std::function<void(const Json& line, int number)>& take) {
  LineReader reader(file, kMaxScoredLineBytes);
  std::string text;
  const auto next = [&] {
    try {
      return reader.next(text);
    } catch (const LineTooLong& problem) {
      problems.add(reader.number() + 1, problem.what());
      return false;
    }
  };
  while (next()) {
    if (reader.number() == 1 && text.starts_with("\xef\xbb\xbf")) text.erase(0, 3);
    if (text.find_first_not_of(" \t\r") == std::string::npos) continue;
    const std::string place = place_of(file, reader.number());
    Json line;
    try {
      line = json_of(text, place, reader.ended_open());
    } catch (const Error& problem) {
      problems.add(reader.number(), problem.what());
      continue;
    }
    try {
      take(line, reader.number());
    } catch (const Error& problem) {
      problems.add(reader.number(), place + ": " + problem.what());
    }
  }
}

// Reads the two files, the data first.
class FilePair {
 public:
  FilePair(const Metric& metric, MetricSettings& settings) : metric_(metric), settings_(settings) {}

  void read_data(const fs::path& file, LineProblems& problems) {
    if (metric_.of_objects && file.extension() == ".json") {
      for (MetricExample& example : read_coco_annotations(file, settings_, problems))
        add(std::move(example), format("{}: image {}", file.string(), example.id.dump()));
    } else {
      if (metric_.of_objects) {
        LineProblems told_later;
        settings_.other_categories = true;
        for_each_line(file, told_later, [&](const Json& line, int) {
          if (collect_categories(line, settings_.categories)) settings_.other_categories = false;
        });
      }
      for_each_line(file, problems,
                    [&](const Json& line, int number) { add_example(line, place_of(file, number)); });
    }
    all_read_ = problems.empty();
  }

  void read_predictions(const fs::path& file, LineProblems& problems) {
    if (metric_.of_objects && file.extension() == ".json") {
      read_coco_results(file, settings_, files_.examples, problems);
    } else {
      for_each_line(file, problems,
                    [&](const Json& line, int number) { add_prediction(line, place_of(file, number)); });
    }
  }

  ScoredFiles take() {
    for (std::size_t i = 0; i < files_.examples.size(); ++i) {
      if (!files_.examples[i].prediction.missing) continue;
      ++files_.missing;
      files_.remarks.push_back(files_.places[i] + ": nothing was predicted: counted as the empty text");
    }
    return std::move(files_);
  }

 private:
  void add(MetricExample example, const std::string& place) {
    by_id_.try_emplace(example.id, files_.examples.size());
    files_.examples.push_back(std::move(example));
    files_.places.push_back(place);
  }

  void add_example(const Json& line, const std::string& place) {
    // A line of categories alone, before the examples.
    if (metric_.of_objects && line.is_object() && line.contains("categories") && !line.contains("id")) return;
    const Json id = read_metric_id(line);
    ExampleReferences references = read_metric_references(metric_, line, settings_);
    tell_line_breaks(references.answers, place);
    const auto found = by_id_.find(id);
    if (found == by_id_.end()) {
      if (references.unanswered) files_.remarks.push_back(place + ": no references: in no average");
      MetricExample example{.id = id, .references = std::move(references)};
      example.prediction.missing = true;
      add(std::move(example), place);
      return;
    }
    if (!metric_.ids_repeat)
      throw Error(format("the id {} stands at {} already", id.dump(), files_.places[found->second]));
    ExampleReferences& first = files_.examples[found->second].references;
    first.answers.insert(first.answers.end(), references.answers.begin(), references.answers.end());
    first.unanswered = first.unanswered && references.unanswered;
    files_.remarks.push_back(format("{}: the id {} stands at {} already: the references add up", place,
                                    id.dump(), files_.places[found->second]));
  }

  void add_prediction(const Json& line, const std::string& place) {
    const Json id = read_metric_id(line);
    const auto example = by_id_.find(id);
    if (example == by_id_.end()) {
      if (!all_read_) return;  // it may be that of a line with a problem
      throw Error(format("there is no example with the id {} in the data", id.dump()));
    }
    MetricExample& its = files_.examples[example->second];
    ExamplePrediction prediction = read_metric_prediction(metric_, line, settings_, its.references);
    tell_line_breaks({prediction.text}, place);
    const auto is_other = [](const FoundObject& object) { return object.category == kOtherCategory; };
    if (prediction.found && std::ranges::any_of(*prediction.found, is_other))
      files_.remarks.push_back(place + ": objects of a category that the data has not, which count nothing");
    const auto [found, is_new] = predicted_.try_emplace(id, place);
    if (!is_new && !metric_.ids_repeat)
      throw Error(format("the id {} stands at {} already", id.dump(), found->second));
    if (!is_new)
      files_.remarks.push_back(format("{}: the id {} stands at {} already: the last prediction counts", place,
                                      id.dump(), found->second));
    its.prediction = std::move(prediction);
  }

  // The reference would give all captions after it to the wrong pictures.
  void tell_line_breaks(const std::vector<std::string>& captions, const std::string& place) {
    if (!metric_.ids_repeat || std::ranges::none_of(captions, has_line_break)) return;
    files_.remarks.push_back(place + ": a caption with a line break, which counts as a space");
  }

  const Metric& metric_;
  MetricSettings& settings_;
  ScoredFiles files_;
  bool all_read_ = true;
  std::map<Json, std::size_t> by_id_;
  std::map<Json, std::string> predicted_;
};

void require_none(const LineProblems& data, const LineProblems& predictions) {
  const std::size_t count = data.size() + predictions.size();
  if (count == 0) return;
  std::vector<std::string> told;
  for (const LineProblems* const problems : {&data, &predictions}) {
    for (const auto& [line, problem] : problems->kept()) told.push_back(problem);
  }
  told.push_back(format("{} problem{} in all; nothing was scored", count, count == 1 ? "" : "s"));
  throw SettingsError(told);
}

}  // namespace

ScoredFiles read_scored_files(const Metric& metric, MetricSettings& settings, const fs::path& data,
                              const fs::path& predictions) {
  FilePair pair(metric, settings);
  LineProblems data_problems, prediction_problems;
  pair.read_data(data, data_problems);
  pair.read_predictions(predictions, prediction_problems);
  require_none(data_problems, prediction_problems);
  ScoredFiles files = pair.take();
  if (files.examples.empty()) throw SettingsError({data.string() + ": holds no example"});
  return files;
}

}  // namespace palisade
