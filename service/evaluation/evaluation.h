#pragma once

#include <memory>
#include <stop_token>

#include "base/folder_lock.h"
#include "service/engine/engine_model.h"
#include "service/evaluation/evaluation_folder.h"
#include "service/evaluation/evaluation_report.h"
#include "service/evaluation/evaluation_scores.h"

namespace palisade {

// An evaluation of a model in a folder: begun, or gone on with after whatever ended it. Used by one thread.
class Evaluation {
 public:
  // A new one: looks through the data, and makes the folder once that is good. Throws SettingsError for the
  // data, UsageError for the folder, Unavailable where another process holds it.
  Evaluation(const EvaluationFolder& folder, const EvaluationSettings& settings);
  // One that was begun. Throws Error where the data or the model's weights are others by now.
  explicit Evaluation(const EvaluationFolder& folder);

  const EvaluationSettings& settings() const { return origin_.settings; }
  // Asks what has not been asked yet, `batch` answers at a time, and makes the report. Nothing where it was
  // stopped.
  std::optional<EvaluationReport> run(EngineModel& model, const SharedAdapter& adapter, int batch,
                                      const std::stop_token& stop);

 private:
  // Looks through the data before the first answer.
  EvaluationData look();
  void take_answers(EvaluationLineReader& lines);

  const EvaluationFolder folder_;
  EvaluationOrigin origin_;
  EvaluationScorer scorer_;
  std::unique_ptr<FolderLock> lock_;
};

}  // namespace palisade
