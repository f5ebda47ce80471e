#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/config/preprocessor.h"
#include "model/text/tokenizer.h"
#include "model/train/example.h"
#include "model/train/training_pass.h"
#include "service/transfer/transfer_lines.h"
#include "service/transfer/transfer_settings.h"

namespace palisade {

// One example as token ids and picture paths.
struct TransferRecord {
  std::string place;  // "FILE:LINE"
  std::vector<std::filesystem::path> pictures;
  std::filesystem::path video;
  std::string suffix;
  ExampleTokens tokens;
};

// Adds empty suffixes and text over the limit to `problems`.
std::vector<TransferRecord> transfer_records(const std::vector<TransferLine>& lines,
                                             const TransferSettings& settings, const ModelConfig& config,
                                             const Tokenizer& tokenizer, LineProblems& problems);

// The order of records: every epoch has an order of its own.
class ExampleOrder {
 public:
  ExampleOrder(std::size_t records, std::uint64_t seed) : records_(records), seed_(seed) {}
  std::size_t at(std::uint64_t place);

 private:
  std::size_t records_;
  std::uint64_t seed_;
  std::optional<std::uint64_t> epoch_;
  std::vector<std::size_t> order_;  // of epoch_
};

// Makes batches of records, reading their pictures and videos. Used by one thread.
class BatchLoader {
 public:
  BatchLoader(const Preprocessor& preprocessor, const TransferSettings& settings)
      : preprocessor_(preprocessor), settings_(settings) {}

  // A video begins at its first frame, or with a seed at a random one (fixed stride; short ones are tiled).
  // Throws Error naming the record's file and line.
  TrainingBatch load(std::span<const TransferRecord* const> records, std::optional<std::uint64_t> seed);
  // The pictures of a record, as inference takes them.
  std::vector<Image> images(const TransferRecord& record, std::optional<std::uint64_t> seed);

 private:
  std::vector<Image> frames_of(const std::filesystem::path& video, std::optional<std::uint64_t> seed);
  std::uint64_t frame_count(const std::filesystem::path& video);

  const Preprocessor& preprocessor_;
  const TransferSettings& settings_;
  std::map<std::filesystem::path, std::uint64_t> frame_counts_;
};

}  // namespace palisade
