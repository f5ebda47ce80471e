#include "service/transfer/transfer_data.h"

#include <algorithm>
#include <fstream>
#include <numeric>

#include "ingest/picture.h"
#include "ingest/source.h"
#include "model/json.h"
#include "model/random.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostProblems = 20;
constexpr std::size_t kMostLineBytes = 1u << 20;

// One line's record, or ModelError.
class LineReader {
 public:
  LineReader(const fs::path& file, const TransferSettings& settings, const ModelConfig& config,
             const Tokenizer& tokenizer)
      : folder_(file.parent_path()), settings_(settings), config_(config), tokenizer_(tokenizer) {}

  TransferRecord read(const std::string& line, const std::string& place) const {
    const Json json = parse_json(line, place);
    if (!json.is_object()) throw ModelError(place + ": no JSON object");
    TransferRecord record{.place = place, .suffix = text(json, "suffix", place)};
    read_pictures(json, record);
    if (record.suffix.empty() && !settings_.allow_empty_suffix)
      throw ModelError(place +
                       ": the suffix is empty; remove the line, or set allow_empty_suffix where silence is "
                       "an answer");
    record.tokens = example_tokens(config_, tokenizer_, text(json, "prefix", place), record.suffix);
    const std::size_t length = record.tokens.prompt.size() + record.tokens.suffix.size();
    // The last token is predicted and never read.
    if (length > std::size_t(settings_.text_length) + 1)
      throw ModelError(place + ": prefix and suffix are " + std::to_string(length - 1) +
                       " tokens, text_length is " + std::to_string(settings_.text_length));
    const std::size_t images = record.video.empty() ? record.pictures.size() : std::size_t(settings_.frames);
    const std::size_t positions = images * std::size_t(config_.image_tokens()) + length - 1;
    if (positions > std::size_t(config_.text.max_position_embeddings))
      throw ModelError(place + ": pictures and text are " + std::to_string(positions) +
                       " positions, the model has " + std::to_string(config_.text.max_position_embeddings));
    return record;
  }

 private:
  static std::string text(const Json& json, const char* key, const std::string& place) {
    const auto found = json.find(key);
    if (found == json.end() || !found->is_string())
      throw ModelError(place + ": \"" + key + "\" is missing or no text");
    return found->get<std::string>();
  }

  fs::path existing(const Json& name, const std::string& place) const {
    if (!name.is_string() || name.get<std::string>().empty())
      throw ModelError(place + ": a picture's name is no text");
    fs::path path = folder_ / name.get<std::string>();
    std::error_code error;
    if (!fs::is_regular_file(path, error)) throw ModelError(place + ": " + path.string() + ": no such file");
    return path;
  }

  void read_pictures(const Json& json, TransferRecord& record) const {
    const auto given = [&](const char* key) { return json.contains(key) && !json.at(key).is_null(); };
    if (int(given("image")) + int(given("images")) + int(given("video")) != 1)
      throw ModelError(record.place + ": needs one of \"image\", \"images\" and \"video\"");
    if (given("video")) {
      record.video = existing(json.at("video"), record.place);
    } else if (given("image")) {
      record.pictures.push_back(existing(json.at("image"), record.place));
    } else {
      const Json& images = json.at("images");
      if (!images.is_array() || images.empty())
        throw ModelError(record.place + ": \"images\" is no list of file names");
      for (const Json& name : images) record.pictures.push_back(existing(name, record.place));
    }
  }

  fs::path folder_;
  const TransferSettings& settings_;
  const ModelConfig& config_;
  const Tokenizer& tokenizer_;
};

// A number below `count`, of `seed` alone.
std::uint64_t chosen_below(std::uint64_t count, std::uint64_t seed) {
  return std::uint64_t((static_cast<unsigned __int128>(split_mix(seed)) * count) >> 64);
}

}  // namespace

std::vector<TransferRecord> read_transfer_data(const fs::path& file, const TransferSettings& settings,
                                               const ModelConfig& config, const Tokenizer& tokenizer) {
  std::ifstream stream(file, std::ios::binary);
  std::error_code error;
  if (!stream || fs::is_directory(file, error)) throw SettingsError({file.string() + ": cannot be opened"});
  const LineReader reader(file, settings, config, tokenizer);
  std::vector<TransferRecord> records;
  std::vector<std::string> problems;
  std::string line;
  for (int number = 1; std::getline(stream, line) && problems.size() < kMostProblems; ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const std::string place = file.string() + ":" + std::to_string(number);
    try {
      if (line.size() > kMostLineBytes) throw ModelError(place + ": longer than 1 MiB");
      records.push_back(reader.read(line, place));
    } catch (const ModelError& problem) {
      problems.push_back(problem.what());
    }
  }
  if (problems.size() == kMostProblems)
    problems.push_back(file.string() + ": and perhaps more; reading ended here");
  if (problems.empty() && records.empty()) problems.push_back(file.string() + ": holds no example");
  if (!problems.empty()) throw SettingsError(problems);
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
  if (images.empty()) throw ModelError(video.string() + ": holds no frame");
  // Short ones are tiled: 0, 1, 2, 0, 1, 2 ...
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
    throw ModelError(record.place + ": " + error.what());
  }
}

TrainingBatch BatchLoader::load(std::span<const TransferRecord* const> records,
                                std::optional<std::uint64_t> seed) {
  TrainingBatch batch;
  // A picture that several lines ask about goes through the tower once.
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
