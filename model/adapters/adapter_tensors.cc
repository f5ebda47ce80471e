#include "model/adapters/adapter_tensors.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <vector>

#include "base/format.h"
#include "base/json.h"
#include "base/sha256.h"
#include "model/adapters/adapter_config.h"
#include "model/error.h"
#include "model/tensor/matrix.h"
#include "model/weights/identity.h"
#include "model/weights/tensor_names.h"
#include "model/weights/weights_hash.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "base_model.model.";
constexpr std::string_view kA = ".lora_A.weight", kB = ".lora_B.weight", kAdded = ".lora_B.bias";

// The tensors of one adapted module, of which each may be missing yet.
struct AdaptedModule {
  std::string path;      // in the file
  std::string released;  // the matrix, without ".weight"
  const TensorView* a = nullptr;
  const TensorView* b = nullptr;
  const TensorView* added = nullptr;
};

fs::path weights_file_of(const fs::path& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error))
    throw ModelError(folder.string() +
                     ": is no folder; an adapter is the folder that PEFT or `palisade "
                     "transfer --lora-rank` writes");
  if (!fs::exists(folder / kAdapterConfigFile))
    throw ModelError(folder.string() +
                     ": holds no adapter_config.json; an adapter is the folder that PEFT "
                     "or `palisade transfer --lora-rank` writes");
  const fs::path file = folder / kAdapterWeightsFile;
  if (fs::exists(file)) return file;
  if (fs::exists(folder / "adapter_model.bin"))
    throw ModelError(folder.string() +
                     ": holds adapter_model.bin, which runs code as it is read; load it "
                     "once in Python (peft) and save it with save_pretrained(FOLDER), which writes "
                     "adapter_model.safetensors");
  throw ModelError(folder.string() + ": holds no adapter_model.safetensors; download the whole folder");
}

// A linear layer of PaliGemma, as PEFT adapts it.
bool is_linear(const std::string& released, const std::vector<std::int64_t>& shape) {
  return shape.size() == 2 && released != kEmbeddingTensor &&
         released.find("position_embedding") == std::string::npos;
}

class AdapterReader {
 public:
  AdapterReader(const fs::path& folder, const ModelConfig& config)
      : weights_path_(weights_file_of(folder)),
        config_(folder / kAdapterConfigFile),
        weights_(weights_path_),
        shapes_(tensor_shapes(config)) {}

  AdapterTensors read() {
    if (weights_.tensors().empty()) throw ModelError(file() + ": holds no tensors; save the adapter anew");
    for (const auto& [name, tensor] : weights_.tensors()) sort(name, tensor);
    require_shapes();
    if (!homeless_.empty())
      fail(homeless_,
           "belongs to no linear layer of this model; give the adapter with the model that it was "
           "trained for");
    std::vector<std::string> adapted;
    for (const auto& [released, module] : modules_) adapted.push_back(module.path);
    for (auto& [released, module] : modules_) tensors_.low_rank.insert({released, matrix_of(module)});
    config_.require_targets(adapted);
    config_.require_saved({saved_.begin(), saved_.end()});
    for (const std::string& module : saved_) require_whole(module);
    weights_.file()->require_unchanged();
    return std::move(tensors_);
  }

  // As AdapterIdentity says.
  std::string sha256(const fs::path& folder) const {
    Sha256 hash;
    add_file(hash, *weights_.file());
    add_file(hash, ReadFile(folder / kAdapterConfigFile));
    return hash.hex();
  }

 private:
  std::string file() const { return weights_path_.string(); }
  [[noreturn]] void fail(const std::string& name, const std::string& why) const {
    throw ModelError(file() + ": tensor \"" + name + "\" " + why);
  }

  // Finds the place of one tensor.
  void sort(const std::string& name, const TensorView& tensor) {
    if (!name.starts_with(kPrefix)) fail(name, "is none of an adapter, whose begin with base_model.model.");
    if (size_of(tensor.type) == 1 || tensor.type == DataType::kI64)
      fail(name, "holds whole numbers; expected F32, F16 or BF16");
    const std::string rest = name.substr(kPrefix.size());
    for (const auto& [ending, slot] : {std::pair{kA, &AdaptedModule::a}, std::pair{kB, &AdaptedModule::b},
                                       std::pair{kAdded, &AdaptedModule::added}}) {
      if (!rest.ends_with(ending)) continue;
      AdaptedModule* const module = module_at(name, rest.substr(0, rest.size() - ending.size()));
      if (module == nullptr) {
        if (homeless_.empty()) homeless_ = name;
        return;
      }
      if (module->*slot != nullptr) fail(name, "stands there twice, under two names");
      module->*slot = &tensor;
      return;
    }
    replace(name, rest, tensor);
  }

  // Null where this model has no such layer.
  AdaptedModule* module_at(const std::string& name, const std::string& path) {
    const std::string released = released_name(path + ".weight");
    const auto shape = shapes_.find(released);
    if (shape == shapes_.end() || !is_linear(released, shape->second)) return nullptr;
    const std::string module = released.substr(0, released.size() - std::string_view(".weight").size());
    AdaptedModule& found = modules_.try_emplace(module, AdaptedModule{path, module}).first->second;
    if (found.path != path) fail(name, "stands there twice, under two names");
    return &found;
  }

  void replace(const std::string& name, std::string rest, const TensorView& tensor) {
    constexpr std::string_view kBase = ".base_layer.";
    if (const auto at = rest.rfind(kBase); at != std::string::npos) rest.replace(at, kBase.size(), ".");
    const std::string released = released_name(rest);
    const auto shape = shapes_.find(released);
    const std::string path = rest.substr(0, rest.rfind('.'));
    const std::string saved = config_.saved_module(path);
    if (shape == shapes_.end() || (saved.empty() && !released.ends_with(".bias")))
      fail(name,
           "is neither of a LoRA nor of modules_to_save, nor a bias of this model, and may change the "
           "answers; save the adapter as a plain LoRA");
    if (tensor.shape != shape->second)
      fail(name, "has shape " + tensor.shape_text() + ", this model's has " + text_of(shape->second));
    require_finite(name, tensor);
    if (!tensors_.replaced.insert({released, tensor}).second)
      fail(name, "stands there twice, under two names");
    if (!saved.empty()) saved_.insert(saved);
  }

  // A module that is saved stands in the place of the model's with all its tensors.
  void require_whole(const std::string& module) const {
    const std::string part = released_name(module + ".");
    for (auto one = shapes_.lower_bound(part); one != shapes_.end() && one->first.starts_with(part); ++one) {
      if (!tensors_.replaced.contains(one->first))
        throw ModelError(file() + ": \"modules_to_save\" names " + module + ", of which " + one->first +
                         " is missing; save the adapter anew");
    }
  }

  static std::string text_of(const std::vector<std::int64_t>& shape) {
    return TensorView{DataType::kF32, shape, 0, 0, nullptr}.shape_text();
  }

  void require_finite(const std::string& name, const TensorView& tensor) const {
    constexpr std::size_t kPiece = 1 << 18;
    const auto count = std::size_t(tensor.element_count());
    std::vector<std::byte> stored(std::min(kPiece, count) * size_of(tensor.type));
    std::vector<float> values(std::min(kPiece, count));
    for (std::size_t first = 0; first < count; first += kPiece) {
      const auto some = std::span(values).first(std::min(kPiece, count - first));
      const auto bytes = std::span(stored).first(some.size() * size_of(tensor.type));
      tensor.read(first * size_of(tensor.type), bytes);
      to_floats(tensor.type, bytes, some);
      if (!std::ranges::all_of(some, [](float value) { return std::isfinite(value); }))
        fail(name, "holds a value that is not finite; the training went wrong, or the file is damaged");
    }
  }

  Matrix matrix_of(const std::string& name, const TensorView& tensor) const {
    require_finite(name, tensor);
    Matrix matrix(int(tensor.shape[0]), int(tensor.shape[1]));
    tensor.copy_to({matrix.data(), matrix.size()});
    return matrix;
  }

  static std::string name_of(const AdaptedModule& module, std::string_view ending) {
    return std::string(kPrefix) + module.path + std::string(ending);
  }

  // An adapter of a model of another size differs in all layers: which kinds they are tells what it is of.
  void require_shapes() const {
    std::string first;
    std::set<std::string> kinds;
    for (const auto& [released, module] : modules_) {
      const std::vector<std::int64_t>& shape = shapes_.at(released + ".weight");
      const std::int64_t rank = module.a == nullptr || module.a->shape.empty() ? 0 : module.a->shape[0];
      const auto look = [&, &adapted = module](std::string_view ending, const TensorView* tensor,
                                               const std::vector<std::int64_t>& expected) {
        if (tensor == nullptr || tensor->shape == expected) return;
        kinds.insert(adapted.path.substr(adapted.path.rfind('.') + 1));
        if (first.empty())
          first = "tensor \"" + name_of(adapted, ending) + "\" has shape " + tensor->shape_text() +
                  ", this model needs " + text_of(expected);
      };
      look(kA, module.a, {rank, shape[1]});
      if (module.a != nullptr) look(kB, module.b, {shape[0], rank});
      look(kAdded, module.added, {shape[0]});
    }
    if (first.empty()) return;
    std::string all;
    for (const std::string& kind : kinds) all += (all.empty() ? "" : ", ") + kind;
    throw ModelError(file() + ": " + first + " (and so of " + all +
                     "); give the adapter with the model that it was trained for");
  }

  LowRankMatrix matrix_of(const AdaptedModule& module) const {
    if (module.a == nullptr)
      fail(name_of(module, kB), "has no lora_A.weight beside it; save the adapter anew");
    if (module.b == nullptr)
      fail(name_of(module, kA), "has no lora_B.weight beside it; save the adapter anew");
    const std::int64_t rank = module.a->shape[0];
    if (rank != config_.rank(module.path))
      fail(name_of(module, kA),
           format("has rank {}, adapter_config.json says rank {} (r, rank_pattern); bring both "
                  "files of one adapter",
                  rank, config_.rank(module.path)));
    LowRankMatrix matrix{matrix_of(name_of(module, kA), *module.a),
                         matrix_of(name_of(module, kB), *module.b)};
    const auto scale = float(config_.scale(module.path));
    for (float& value : std::span(matrix.b.data(), matrix.b.size())) value *= scale;
    if (module.added != nullptr) {
      require_finite(name_of(module, kAdded), *module.added);
      matrix.added = module.added->to_floats();
      for (float& value : matrix.added) value *= scale;
    }
    return matrix;
  }

  fs::path weights_path_;
  AdapterConfig config_;
  SafetensorsFile weights_;
  TensorShapes shapes_;
  std::map<std::string, AdaptedModule> modules_;  // by `released`
  std::string homeless_;                          // a tensor of no layer
  std::set<std::string> saved_;                   // modules of modules_to_save that have tensors
  AdapterTensors tensors_;
};

}  // namespace

AdapterTensors read_adapter(const fs::path& folder, const ModelConfig& config) {
  AdapterReader reader(folder, config);
  AdapterTensors tensors = reader.read();
  tensors.folder = folder;
  tensors.identity = {identify(folder, ResizePreset::kHfBicubic).id, reader.sha256(folder)};
  return tensors;
}

}  // namespace palisade
