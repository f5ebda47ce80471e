#include "service/evaluation/scored_files.h"

#include <functional>
#include <map>

#include "base/format.h"
#include "base/input_file.h"
#include "service/settings/settings.h"
#include "service/transfer/line_mistakes.h"
#include "service/transfer/transfer_lines.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxLineBytes = 16u << 20;  // masks and captions of a picture

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
  LineReader reader(file, kMaxLineBytes);
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
  FilePair(const Metric& metric, const MetricSettings& settings) : metric_(metric), settings_(settings) {}

  void add_example(const Json& line, const std::string& place) {
    const Json id = read_metric_id(line);
    ExampleReferences references = read_metric_references(metric_, line, settings_);
    const auto [found, is_new] = by_id_.try_emplace(id, files_.examples.size());
    if (!is_new && !metric_.ids_repeat)
      throw Error(format("the id {} stands at {} already", id.dump(), files_.places[found->second]));
    if (!is_new) {
      std::vector<std::string>& answers = files_.examples[found->second].references.answers;
      answers.insert(answers.end(), references.answers.begin(), references.answers.end());
      files_.remarks.push_back(format("{}: the id {} stands at {} already: the references add up", place,
                                      id.dump(), files_.places[found->second]));
      return;
    }
    if (references.unanswered) files_.remarks.push_back(place + ": no references: in no average");
    files_.examples.push_back({.id = id, .references = std::move(references)});
    files_.examples.back().prediction.missing = true;
    files_.places.push_back(place);
  }

  // `all_read`: no line of the data had a problem.
  void end_data(bool all_read) { all_read_ = all_read; }

  void add_prediction(const Json& line, const std::string& place) {
    const Json id = read_metric_id(line);
    ExamplePrediction prediction = read_metric_prediction(line);
    const auto example = by_id_.find(id);
    if (example == by_id_.end()) {
      if (!all_read_) return;  // it may be that of a line with a problem
      throw Error(format("there is no example with the id {} in the data", id.dump()));
    }
    const auto [found, is_new] = predicted_.try_emplace(id, place);
    if (!is_new && !metric_.ids_repeat)
      throw Error(format("the id {} stands at {} already", id.dump(), found->second));
    if (!is_new)
      files_.remarks.push_back(format("{}: the id {} stands at {} already: the last prediction counts", place,
                                      id.dump(), found->second));
    files_.examples[example->second].prediction = std::move(prediction);
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
  const Metric& metric_;
  const MetricSettings& settings_;
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

ScoredFiles read_scored_files(const Metric& metric, const MetricSettings& settings, const fs::path& data,
                              const fs::path& predictions) {
  FilePair pair(metric, settings);
  LineProblems data_problems, prediction_problems;
  for_each_line(data, data_problems,
                [&](const Json& line, int number) { pair.add_example(line, place_of(data, number)); });
  pair.end_data(data_problems.empty());
  for_each_line(predictions, prediction_problems, [&](const Json& line, int number) {
    pair.add_prediction(line, place_of(predictions, number));
  });
  require_none(data_problems, prediction_problems);
  ScoredFiles files = pair.take();
  if (files.examples.empty()) throw SettingsError({data.string() + ": holds no example"});
  return files;
}

}  // namespace palisade
