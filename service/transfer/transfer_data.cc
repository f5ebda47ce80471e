#include "service/transfer/transfer_data.h"

#include <algorithm>
#include <numeric>

#include "base/format.h"
#include "base/random.h"
#include "ingest/open_source.h"
#include "ingest/pictures/picture.h"
#include "ingest/source/source.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

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

// A number below `count` that depends on `seed` alone.
std::uint64_t chosen_below(std::uint64_t count, std::uint64_t seed) {
  return std::uint64_t((static_cast<unsigned __int128>(split_mix(seed)) * count) >> 64);
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

std::uint64_t BatchLoader::frame_count(const fs::path& video) {
  const auto [known, added] = frame_counts_.try_emplace(video, 0);
  if (added) {
    const auto source = open_source({.url = video.string()}, {});
    while (source->next([&](const FrameStamp&) {
      ++known->second;
      return false;
    })) {
    }
  }
  return known->second;
}

std::vector<Image> BatchLoader::frames_of(const fs::path& video, std::optional<std::uint64_t> seed) {
  const auto count = std::size_t(settings_.frames);
  const auto step = std::uint64_t(settings_.frame_step);
  std::uint64_t first = 0;
  if (seed) {
    const std::uint64_t frames = frame_count(video), needed = (count - 1) * step + 1;
    if (frames > needed) first = chosen_below(frames - needed + 1, *seed);
  }
  std::vector<Image> images;
  const auto source = open_source({.url = video.string()}, {});
  while (images.size() < count) {
    auto frame = source->next(
        [&](const FrameStamp& stamp) { return stamp.number >= first && (stamp.number - first) % step == 0; });
    if (!frame) break;
    images.push_back(preprocessor_.to_square(frame->image));
  }
  if (images.empty()) throw Error(video.string() + ": holds no frame");
  // Short videos are tiled: 0, 1, 2, 0, 1, 2 ...
  for (const std::size_t seen = images.size(); images.size() < count;)
    images.push_back(images[images.size() % seen]);
  return images;
}

std::vector<Image> BatchLoader::images(const TransferRecord& record, std::optional<std::uint64_t> seed) {
  try {
    if (!record.video.empty()) return frames_of(record.video, seed);
    std::vector<Image> images;
    for (const fs::path& picture : record.pictures)
      images.push_back(preprocessor_.to_square(read_picture(picture)));
    return images;
  } catch (const std::exception& error) {
    throw Error(record.place + ": " + error.what());
  }
}

TrainingBatch BatchLoader::load(std::span<const TransferRecord* const> records,
                                std::optional<std::uint64_t> seed) {
  TrainingBatch batch;
  // A picture of several lines is encoded once.
  std::map<std::vector<fs::path>, std::vector<int>> loaded;
  for (const TransferRecord* record : records) {
    TrainingExample example{.pictures = {}, .prompt = record->tokens.prompt, .suffix = record->tokens.suffix};
    const auto known = record->video.empty() ? loaded.find(record->pictures) : loaded.end();
    if (known != loaded.end()) {
      example.pictures = known->second;
    } else {
      if (seed) seed = split_mix(*seed);
      for (const Image& image : images(*record, seed)) {
        example.pictures.push_back(int(batch.pictures.size()));
        batch.pictures.push_back(preprocessor_.pixel_values(image));
      }
      if (record->video.empty()) loaded[record->pictures] = example.pictures;
    }
    batch.examples.push_back(std::move(example));
  }
  return batch;
}

}  // namespace palisade
