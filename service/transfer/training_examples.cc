#include "service/transfer/training_examples.h"

#include <algorithm>
#include <iterator>

#include "base/format.h"
#include "base/input_file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/random.h"
#include "base/sha256.h"
#include "model/weights/weights_hash.h"
#include "tasks/prompt.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

std::vector<MixturePart> parts_of(const TransferSettings& settings) {
  if (settings.mixture.empty()) return {{.data = settings.data, .evaluation = settings.evaluation}};
  return read_mixture(read_text_file(settings.mixture, 1u << 20), settings.mixture);
}

// Warns of prefixes that `ask` would turn into a question but that are learnt as they stand.
void tell_other_prefixes(const std::vector<TransferLine>& lines, const std::string& what) {
  const auto other = [](const TransferLine& line) { return task_of_prompt(line.prefix) == kOtherPrompt; };
  const auto first = std::ranges::find_if(lines, other);
  if (first == lines.end()) return;
  log_warning(what + ": " + first->place() +
              format(": its prefix and {} others", std::ranges::count_if(lines, other) - 1) +
              " begin with no word of PaliGemma's prompts: they are learnt as they stand, but palisade asks "
              "such words as \"answer en ...\"; begin them with that, or with caption, describe, ocr, "
              "detect or segment");
}

class TrainingExampleReader {
 public:
  explicit TrainingExampleReader(const ExampleReading& reading)
      : reading_(reading), read_{.parts = parts_of(reading.settings)} {}

  TrainingExamples read() {
    const TransferSettings& settings = reading_.settings;
    const bool frozen = !settings.trains(ModelPart::kImageEncoder);
    reading_.inputs.kept().begin(
        reading_.preprocessor, std::size_t(settings.picture_memory_mb) << 20,
        frozen ? format("{} at {}", settings.model.string(), reading_.config.vision.image_size) : "");
    for (std::size_t part = 0; part < read_.parts.size(); ++part)
      add(part, read_.parts[part].data, reading_.settings.filters, read_.learnt);
    if (const Metric* const metric = find_metric(reading_.settings.metric))
      read_.metric.emplace(*metric, reading_.settings.lower);
    for (std::size_t part = 0; part < read_.parts.size(); ++part) {
      if (const fs::path& file = read_.parts[part].evaluation; !file.empty())
        add(part, file, {}, read_.evaluation);
    }
    if (read_.metric) read_.metric->require_defined();
    return std::move(read_);
  }

 private:
  void add(std::size_t part, const fs::path& file, const fs::path& filters,
           std::vector<TransferRecord>& records) {
    LineProblems problems;
    std::vector<TransferLine> lines = read_transfer_lines(file, problems, {.form = read_.parts[part].prefix});
    if (!filters.empty() && problems.empty()) {
      FilteredLines left = filtered(std::move(lines), filters);
      log_info(reading_.what + ": " + summary_of(left));
      lines = std::move(left.kept);
      std::ranges::move(left.removed, std::back_inserter(read_.removed));
    }
    if (read_.metric && &records == &read_.evaluation) read_.metric->add(lines, problems);
    auto some = transfer_records(lines, reading_.settings, reading_.config, reading_.tokenizer, problems);
    read_.inputs.merge(reading_.inputs.read(lines, reading_.known, problems, reading_.what, reading_.stop));
    require_none(problems);
    tell_other_prefixes(lines, reading_.what);
    for (TransferRecord& record : some) record.part = int(part);
    std::ranges::move(some, std::back_inserter(records));
  }

  const ExampleReading& reading_;
  TrainingExamples read_;
};

void add_text(Sha256& hash, const std::string& text) {
  hash.add(std::as_bytes(std::span(text)));
}

}  // namespace

std::span<const TransferRecord> TrainingExamples::evaluation_of(std::size_t part) const {
  return std::ranges::equal_range(evaluation, int(part), {}, &TransferRecord::part);
}

MixtureOrder TrainingExamples::order(std::uint64_t seed) const {
  std::vector<MixtureOrder::Part> sizes;
  for (std::size_t part = 0; part < parts.size(); ++part)
    sizes.push_back(
        {std::size_t(std::ranges::count(learnt, int(part), &TransferRecord::part)), parts[part].weight});
  return {sizes, seed};
}

std::string TrainingExamples::hash(const Checkpoint& checkpoint) const {
  Sha256 hash;
  for (const MixturePart& part : parts) {
    InputFile data(part.data);
    std::string text(1u << 16, '\0');
    while (const std::size_t size = data.read(text)) hash.add(std::as_bytes(std::span(text).first(size)));
    if (is_mixture()) add_text(hash, format("{} {}\n", part.weight, part.prefix));
  }
  std::string numbers;
  for (const RemovedLine& line : removed) numbers += format("{}\n", line.line);
  add_text(hash, numbers);
  for (const auto& file : checkpoint.files()) add_file(hash, *file);
  return hash.hex();
}

TrainingExamples read_training_examples(const ExampleReading& reading) {
  return TrainingExampleReader(reading).read();
}

}  // namespace palisade
