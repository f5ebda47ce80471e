#include "model/paligemma/adapter.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "model/adapters/overlaid_checkpoint.h"
#include "model/error.h"

namespace palisade {
namespace {

const std::string kProjection = "multi_modal_projector.linear";

// The adapted module of this bias; nullptr where there is none.
LowRankMatrix* biased(AdapterTensors& tensors, const std::string& name) {
  constexpr std::string_view kBias = ".bias";
  if (!name.ends_with(kBias)) return nullptr;
  const auto found = tensors.low_rank.find(name.substr(0, name.size() - kBias.size()));
  return found == tensors.low_rank.end() ? nullptr : &found->second;
}

// Whether tensors of this part of the model are replaced that cannot be added to what it computes.
bool needs_own(AdapterTensors& tensors, const std::string& part) {
  return std::ranges::any_of(tensors.replaced, [&](const auto& entry) {
    return entry.first.starts_with(part) && biased(tensors, entry.first) == nullptr;
  });
}

// Biases of adapted modules become differences to the model's.
void add_biases(AdapterTensors& tensors, const Checkpoint& model, const std::string& part) {
  for (const auto& [name, tensor] : tensors.replaced) {
    LowRankMatrix* const matrix = name.starts_with(part) ? biased(tensors, name) : nullptr;
    if (matrix == nullptr) continue;
    const std::vector<float> theirs = tensor.to_floats();
    std::vector<float> own(theirs.size());
    model.read_into(name, tensor.shape, own);
    matrix->added.resize(theirs.size());
    for (std::size_t i = 0; i < own.size(); ++i) matrix->added[i] += theirs[i] - own[i];
  }
}

void require_same(const WeightFiles& loaded, const WeightFiles& now) {
  const auto same = [](const auto& a, const auto& b) {
    return a->path() == b->path() && a->size() == b->size() && a->changed() == b->changed();
  };
  if (!std::ranges::equal(loaded, now, same))
    throw ModelError(now.front()->path().string() +
                     ": has changed since the model was loaded; start again to use an adapter with it");
}

}  // namespace

Linear read_projection(const Checkpoint& checkpoint, const ModelConfig& config) {
  return read_biased_linear(checkpoint, kProjection, config.text.width, config.vision.width, Precision::kF32);
}

SharedAdapter make_adapter(const AdapterBase& base, AdapterTensors tensors) {
  auto adapter = std::make_shared<Adapter>();
  adapter->identity = tensors.identity;
  if (!tensors.replaced.empty()) {
    OverlaidCheckpoint overlaid(base.folder, tensors.replaced);
    require_same(base.files, overlaid.files());
    const Checkpoint own(base.folder);
    if (base.calibration != nullptr) overlaid.smooth_with(*base.calibration);
    if (needs_own(tensors, "language_model.")) {
      adapter->own_language_model = std::make_unique<LanguageModel>(base.config.text, base.window);
      adapter->own_language_model->load(overlaid, base.precision);
    }
    if (needs_own(tensors, kImageTower)) {
      adapter->own_image_encoder.emplace(base.config.vision, overlaid, kImageTower, base.precision);
    } else {
      add_biases(tensors, own, kImageTower);
    }
    if (needs_own(tensors, kProjection)) {
      adapter->own_projection.emplace(read_projection(overlaid, base.config));
    } else {
      add_biases(tensors, own, kProjection);
    }
  }
  for (auto& [name, matrix] : tensors.low_rank) {
    if (base.calibration != nullptr)
      base.calibration->apply_to_added(name + ".weight", matrix.a, matrix.b, matrix.added);
  }
  adapter->image_encoder = base.image_encoder.adapt(tensors, kImageTower);
  const std::vector<LowRankOutputs> projection = {{tensors.find(kProjection), 0, base.config.text.width}};
  adapter->projection = LowRank(base.config.vision.width, std::span(&projection, 1), false);
  adapter->language = LanguageAdapter(base.config.text, tensors, base.precision != Precision::kF32);
  return adapter;
}

}  // namespace palisade
