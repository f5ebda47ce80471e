#include "model/join/joined_model.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <numeric>
#include <set>
#include <vector>

#include "base/random.h"
#include "model/error.h"
#include "model/join/gemma_folder.h"
#include "model/join/image_tower_folder.h"
#include "model/join/joined_settings.h"
#include "model/text/tokenizer.h"
#include "model/weights/checkpoint_match.h"
#include "model/weights/folder_writer.h"
#include "model/weights/safetensors_writer.h"
#include "model/weights/tensor_names.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

// big_vision, models/ppp/gemma.py: load, extend_rows; the paper's section 5.3 compares it with the mean row.
constexpr double kNewRowDeviation = 0.02;
constexpr int kRowsAtOnce = 1024;
const std::string kVisionPrefix = "vision_tower.vision_model.", kLanguagePrefix = "language_model.";

// Normally distributed numbers of which each depends on its place and the seed alone (Box and Muller, 1958).
class NormalNumbers {
 public:
  explicit NormalNumbers(std::uint64_t seed) : start_(split_mix(seed ^ hash_of("new rows"))) {}

  double at(std::uint64_t place) const {
    const std::uint64_t pair = start_ + place / 2 * 2;
    const double radius = std::sqrt(-2 * std::log(uniform(pair)));
    const double angle = 2 * std::numbers::pi * uniform(pair + 1);
    return radius * (place % 2 == 0 ? std::cos(angle) : std::sin(angle));
  }

 private:
  // Above 0, up to 1.
  static double uniform(std::uint64_t x) { return double((split_mix(x) >> 11) + 1) * 0x1p-53; }
  std::uint64_t start_;
};

// Where a tensor of the joined model comes from.
struct TensorOrigin {
  const PartCheckpoint* weights = nullptr;  // nullptr: zeros
  std::string name;                         // there
};

TensorOrigin source_of(const std::string& name, const ImageTowerFolder& tower, const GemmaFolder& gemma) {
  if (name.starts_with(kVisionPrefix))
    return {&tower.weights(), tower.stored_name(name.substr(kVisionPrefix.size()))};
  if (name.starts_with(kLanguagePrefix)) return {&gemma.weights(), name.substr(kLanguagePrefix.size())};
  return {};
}

// Before anything is written: every tensor is there, and nothing else that would change answers.
void require_parts(const std::vector<NamedShape>& tensors, const ImageTowerFolder& tower,
                   const GemmaFolder& gemma) {
  std::set<std::string> known = {kGemmaEmbedding, kEmbeddingTensor};
  std::set<std::string> known_of_tower;
  for (const NamedShape& tensor : tensors) {
    const TensorOrigin source = source_of(tensor.name, tower, gemma);
    if (source.weights == nullptr) continue;
    (source.weights == &gemma.weights() ? known : known_of_tower).insert(source.name);
    if (tensor.name != kEmbeddingTensor) source.weights->require(source.name, tensor.shape);
  }
  gemma.weights().require_only(
      [&](const std::string& name) { return known.contains(name) || name.ends_with("rotary_emb.inv_freq"); });
  tower.weights().require_only(
      [&](const std::string& name) { return known_of_tower.contains(name) || tower.leaves_out(name); });
}

void write_embedding(const GemmaFolder& gemma, const ModelConfig& config, std::uint64_t seed,
                     SafetensorsWriter& writer) {
  const int width = config.text.width, pieces = gemma.pieces(), rows = config.text.vocabulary;
  const WeightRows old = gemma.weights().rows({kGemmaEmbedding}, {gemma.rows()}, width);
  const NormalNumbers numbers(seed);
  Matrix some(kRowsAtOnce, width);
  for (int first = 0; first < rows;) {
    const int end = first < pieces ? pieces : rows;
    const MatrixView now = some.view().row_range(0, std::min(kRowsAtOnce, end - first));
    const std::span<float> values(now.data, std::size_t(now.rows) * std::size_t(width));
    if (first < pieces) {
      old.read(first, now);
    } else {
      const auto place = std::uint64_t(first - pieces) * std::uint64_t(width);
      for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = float(kNewRowDeviation * numbers.at(place + i));
    }
    writer.write(values);
    first += now.rows;
  }
}

void write_tensor(const NamedShape& tensor, const TensorOrigin& source, SafetensorsWriter& writer) {
  const auto columns =
      std::accumulate(tensor.shape.begin() + 1, tensor.shape.end(), std::int64_t(1), std::multiplies<>());
  Matrix values(int(tensor.shape[0]), int(columns));
  const std::span<float> all(values.data(), values.size());
  if (source.weights == nullptr) {
    std::ranges::fill(all, 0.0f);
  } else {
    source.weights->read_into(source.name, tensor.shape, all);
  }
  writer.write(all);
}

}  // namespace

void write_joined_model(const JoinedParts& parts, const fs::path& target, const std::string& id) {
  if (fs::exists(target)) throw ModelError(target.string() + ": is there already; name a folder that is not");
  const ImageTowerFolder tower(parts.vision);
  const GemmaFolder gemma(parts.language);
  const ModelConfig config = joined_config(tower, gemma);
  std::vector<NamedShape> tensors;
  for (const auto& [name, shape] : tensor_shapes(config)) {
    if (name != kHeadTensor) tensors.push_back({name, shape});
  }
  require_parts(tensors, tower, gemma);
  write_whole_folder(target, [&](const fs::path& folder) {
    write_joined_settings(tower, gemma, parts.language, config, folder);
    write_identity(folder, id);
    SafetensorsWriter writer(folder / "model.safetensors", tensors, {{"format", "pt"}});
    for (const NamedShape& tensor : tensors) {
      if (tensor.name == kEmbeddingTensor) {
        write_embedding(gemma, config, parts.seed, writer);
      } else {
        write_tensor(tensor, source_of(tensor.name, tower, gemma), writer);
      }
    }
    writer.commit();
    // What cannot be loaded is not left behind.
    matched(read_model_config(folder), Checkpoint(folder));
    const Tokenizer tokenizer(folder);
  });
}

}  // namespace palisade
