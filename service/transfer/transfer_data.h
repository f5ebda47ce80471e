#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "model/config/model_config.h"
#include "model/text/tokenizer.h"
#include "model/train/example.h"
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
  int part = 0;  // of the mixture
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

}  // namespace palisade
