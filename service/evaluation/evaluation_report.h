#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "model/paligemma/paligemma.h"
#include "service/evaluation/evaluation_folder.h"
#include "service/evaluation/evaluation_scores.h"
#include "service/evaluation/task_recipe.h"
#include "tasks/boxes.h"
#include "tasks/certainty/reliability.h"

namespace palisade {

// An example that a report shows.
struct ShownExample {
  std::size_t place = 0;  // in the data, from 0
  std::string id;
  std::string prompt;
  std::vector<std::string> references;
  std::string prediction;
  std::optional<double> score;
  double p = 0;
  std::string error;
  std::vector<std::filesystem::path> pictures;
  std::filesystem::path film;
  std::vector<Box> truth, found;  // of one picture
};

// How often which answer was given where which one was right.
struct ConfusionTable {
  std::string title;                 // of the group or the metric
  std::vector<std::string> answers;  // right ones, the most frequent first
  // [right][said]; the last of a row counts what is none of the answers.
  std::vector<std::vector<std::size_t>> counts;
};

struct EvaluationSpeed {
  double seconds = 0;  // of asking, all processes together
  std::size_t images_encoded = 0;
  std::size_t tokens = 0;
  double encode_ms = 0, prefill_ms = 0, decode_ms = 0;  // of an answer, in the mean; stepped with others
};

// All that the reports of an evaluation say.
struct EvaluationReport {
  EvaluationOrigin origin;
  ModelIdentity model;
  std::string adapter;  // its id; empty without
  std::optional<PublishedTransfer> published;
  EvaluationScores scores;
  std::vector<ConfusionTable> confusion;
  std::vector<JudgedChoice> judged;  // the probability of each answer that is right or wrong
  EvaluationSpeed speed;
  std::vector<ShownExample> worst;          // of the lowest score
  std::vector<ShownExample> certain_wrong;  // wrong, and the model was sure
  std::vector<ShownExample> all;            // the first kMaxListed, without pictures
};
inline constexpr std::size_t kMaxListed = 2000, kMaxShown = 16;

// Reads data and predictions once more, writes the scores beside each prediction, and gathers what to show.
EvaluationReport make_report(const EvaluationFolder& folder, const EvaluationOrigin& origin,
                             EvaluationScores scores);

Json report_json(const EvaluationReport& report);
std::string report_markdown(const EvaluationReport& report);
// One page that asks nobody for anything: pictures, style and the filter of the list are in it.
std::string report_html(const EvaluationReport& report);
// Writes all three.
void write_reports(const EvaluationFolder& folder, const EvaluationReport& report);

// "0.8432", and of a published figure as papers print it.
std::string figure_text(double figure);
// A published figure beside the one that came out, both as papers print them.
struct ComparedFigure {
  std::string name;
  std::optional<double> published, reproduced;
};
std::vector<ComparedFigure> compared_figures(const EvaluationReport& report);

}  // namespace palisade
