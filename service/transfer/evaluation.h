#pragma once

#include <functional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "model/train/training_pass.h"
#include "service/transfer/pass_reader.h"

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

// A model folder, and the folder of an adapter where that is what was trained.
struct WrittenModel {
  std::filesystem::path model;
  std::filesystem::path adapter;
};

struct AnswerOptions {
  int beams = 1;  // 1: greedily
  std::stop_token stop;
  std::function<void(double share)> progress;  // may be empty
};

// What a model says of each example, as the service would answer. Empty where it was stopped.
std::vector<std::string> answers_of(const WrittenModel& written, const EvaluationExamples& examples,
                                    const AnswerOptions& options);

}  // namespace palisade
