#pragma once

#include <span>

#include "model/train/training_pass.h"
#include "service/transfer/pass_reader.h"
#include "service/transfer/run_folder.h"

namespace palisade {

// Examples that are not learnt from, and what they are read with.
struct EvaluationExamples {
  std::span<const TransferRecord> records;
  PictureLoader& loader;
  const TransferSettings& settings;
  int vocabulary;  // tokens that may be said
};

struct EvaluationLoss {
  double loss = 0;   // the mean of the examples'
  double exact = 0;  // share whose suffix greedy decoding would say
};

// Of the model that is being trained.
EvaluationLoss evaluation_loss(TrainingPass& pass, const EvaluationExamples& examples);

// The share of suffixes that the model a run has written says by beams, as the service would answer.
double exact_by_beams(const RunFolder& run, const EvaluationExamples& examples);

}  // namespace palisade
