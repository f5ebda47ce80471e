#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "model/config/model_config.h"
#include "model/text/tokenizer.h"
#include "model/weights/checkpoint.h"
#include "service/transfer/data_filter.h"
#include "service/transfer/input_files.h"
#include "service/transfer/mixture.h"
#include "service/transfer/mixture_order.h"
#include "service/transfer/run_metric.h"
#include "service/transfer/transfer_data.h"

namespace palisade {

// What a transfer learns from and is evaluated on, part after part of its mixture. Where the data are one
// file, that is a part without a name.
struct TrainingExamples {
  std::vector<MixturePart> parts;
  std::vector<TransferRecord> learnt;
  std::vector<TransferRecord> evaluation;
  std::optional<RunMetric> metric;   // of the evaluation, where the settings name one
  std::vector<RemovedLine> removed;  // by filters
  FileHashes inputs;                 // pictures and films

  bool is_mixture() const { return !parts.front().name.empty(); }
  std::span<const TransferRecord> evaluation_of(std::size_t part) const;
  MixtureOrder order(std::uint64_t seed) const;
  // Of the data, the mixture's weights and forms, what was removed, and the weights that training begins
  // with.
  std::string hash(const Checkpoint& checkpoint) const;
};

// What they are read with.
struct ExampleReading {
  const TransferSettings& settings;
  const ModelConfig& config;
  const Preprocessor& preprocessor;
  const Tokenizer& tokenizer;
  InputFiles& inputs;
  const FileHashes& known;  // inputs that were read when the run began
  const std::string& what;  // begins lines of the log
  const std::stop_token& stop;
};

// Throws SettingsError naming the lines that cannot be learnt.
TrainingExamples read_training_examples(const ExampleReading& reading);

}  // namespace palisade
