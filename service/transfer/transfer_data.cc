#include "service/transfer/transfer_data.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "base/format.h"
#include "base/random.h"

namespace palisade {
namespace {

TransferRecord record_of(const TransferLine& line, const TransferSettings& settings,
                         const ModelConfig& config, const Tokenizer& tokenizer) {
  TransferRecord record{
      .place = line.place(), .pictures = line.pictures, .video = line.video, .suffix = line.suffix};
  if (record.suffix.empty() && !settings.allow_empty_suffix)
    throw Error(record.place +
                ": the suffix is empty; remove the line, or set allow_empty_suffix where silence is "
                "an answer");
  record.tokens = example_tokens(config, tokenizer, line.prefix, record.suffix);
  const std::size_t length = record.tokens.prompt.size() + record.tokens.suffix.size();
  // The last token is predicted and not read.
  if (length > std::size_t(settings.text_length) + 1)
    throw Error(format("{}: prefix and suffix are {} tokens, text_length is {}", record.place, length - 1,
                       settings.text_length));
  const std::size_t images = record.video.empty() ? record.pictures.size() : std::size_t(settings.frames);
  const std::size_t positions = images * std::size_t(config.image_tokens()) + length - 1;
  if (positions > std::size_t(config.text.max_position_embeddings))
    throw Error(format("{}: pictures and text are {} positions, the model has {}", record.place, positions,
                       config.text.max_position_embeddings));
  return record;
}

}  // namespace

std::vector<TransferRecord> transfer_records(const std::vector<TransferLine>& lines,
                                             const TransferSettings& settings, const ModelConfig& config,
                                             const Tokenizer& tokenizer, LineProblems& problems) {
  std::vector<TransferRecord> records;
  for (const TransferLine& line : lines) {
    try {
      records.push_back(record_of(line, settings, config, tokenizer));
    } catch (const Error& problem) {
      problems.add(line.number, problem.what());
    }
  }
  return records;
}

std::size_t ExampleOrder::at(std::uint64_t place) {
  const std::uint64_t epoch = place / records_;
  if (epoch_ != epoch) {
    order_.resize(records_);
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    const std::uint64_t start = split_mix(seed_ ^ split_mix(epoch));
    for (std::size_t left = records_; left > 1; --left)
      std::swap(order_[left - 1], order_[chosen_below(left, start + left)]);
    epoch_ = epoch;
  }
  return order_[place % records_];
}

}  // namespace palisade
