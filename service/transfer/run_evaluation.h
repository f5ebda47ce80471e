#pragma once

#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "service/terminal/progress.h"
#include "service/transfer/evaluation.h"
#include "service/transfer/run_folder.h"
#include "service/transfer/score_history.h"
#include "service/transfer/training_examples.h"

namespace palisade {

// The evaluations of a run: their lines in metrics.jsonl, which was the best by the metric, and whether it is
// time to stop. Used by one thread.
class RunEvaluation {
 public:
  // What belongs to the run and outlives this.
  struct Parts {
    const RunFolder& run;
    const TransferSettings& settings;
    const std::string& what;
    const std::stop_token& stop;
    const TrainingExamples& examples;
    PictureLoader& loader;
    int vocabulary;  // tokens that may be said
  };
  explicit RunEvaluation(const Parts& parts) : parts_(parts) {}

  // Goes on where a run did whose checkpoint is of `parameters` after `step`. Throws Error where its best
  // weights are not there.
  void resume(const Parameters& parameters, int step);

  bool is_due(int step) const;
  bool has(int step) const { return parts_.examples.evaluation.empty() || history_.has(step); }
  // The model as it is after `step`, unless the metric has judged that one. True where no earlier one is as
  // good by the metric: save() the run, then keep_best(). A stop leaves nothing behind.
  bool evaluate(TrainingPass& pass, Parameters& parameters, int step, Progress& progress);
  // Whether `patience` evaluations were no better than the best.
  bool is_exhausted() const;
  // Sets `parameters` to those of the best evaluation, where it was not the one after `step`.
  void take_best(Parameters& parameters, int step) const;
  // The model that the run has written, by beams.
  void evaluate_by_beams(int step, Progress& progress) const;

 private:
  EvaluationExamples examples(std::span<const TransferRecord> records) const;
  // Of all examples, and of each part of a mixture as its line has it.
  struct Losses {
    EvaluationLoss all;
    Json parts = Json::object();
  };
  Losses losses(TrainingPass& pass) const;
  // Writes the model as it is now into the run folder.
  WrittenModel written_now(Parameters& parameters) const;
  std::vector<std::string> answers(const WrittenModel& written, int beams, Progress& progress) const;

  const Parts parts_;
  ScoreHistory history_;
};

}  // namespace palisade
