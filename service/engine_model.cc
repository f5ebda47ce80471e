#include "service/engine_model.h"

#include <chrono>

#include "model/error.h"
#include "model/generation.h"
#include "service/weights_hash.h"

namespace palisade {
namespace {

using std::chrono::steady_clock;

class PaliGemmaEngineModel : public EngineModel {
 public:
  PaliGemmaEngineModel(const std::filesystem::path& folder, std::optional<ResizePreset> resize)
      : model_(folder), resize_(resize.value_or(model_.identity().resize)), hash_(model_.weight_files()) {}

  ModelIdentity identity() const override {
    ModelIdentity identity = model_.identity();
    identity.resize = resize_;
    identity.sha256 = hash_.hex();
    return identity;
  }
  int image_size() const override { return model_.image_size(); }
  int image_tokens() const override { return model_.config().image_tokens(); }

  std::vector<ImageFeatures> encode(std::span<const Image> images, std::stop_token stop) override {
    return model_.encode(images, interrupting(stop));
  }

  Answer answer(std::span<const ImageFeatures> images, const std::string& prompt,
                const DecodingOptions& options, AnswerTiming& timing, std::stop_token stop) override {
    const auto start = steady_clock::now();
    const int new_positions = needs_of(model_, options).new_positions;
    Sequence sequence = model_.prefill(images, model_.prompt_ids(prompt), new_positions, interrupting(stop));
    const auto prefilled = steady_clock::now();
    timing.prefill = prefilled - start;
    Answer answer = decode(model_, std::move(sequence), options);
    timing.decode = steady_clock::now() - prefilled;
    return answer;
  }

 private:
  // A large model's prefill takes longer than a stop may: so it is left between two layers.
  static Observer interrupting(std::stop_token stop) {
    if (!stop.stop_possible()) return {};
    return [stop = std::move(stop)](std::string_view, ConstMatrixView) {
      if (stop.stop_requested()) throw ModelStopped{};
    };
  }

  PaliGemma model_;
  ResizePreset resize_;
  WeightsHash hash_;
};

}  // namespace

std::unique_ptr<EngineModel> load_engine_model(const std::filesystem::path& folder,
                                               std::optional<ResizePreset> resize) {
  return std::make_unique<PaliGemmaEngineModel>(folder, resize);
}

std::filesystem::path demo_model_folder() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  for (const auto& folder : {program / "../share/palisade/models/demo", program / "../../configs/models/demo",
                             std::filesystem::path(PALISADE_SOURCE_DIR "/configs/models/demo")}) {
    if (std::filesystem::is_regular_file(folder / "config.json", error)) {
      return std::filesystem::weakly_canonical(folder, error);
    }
  }
  throw ModelError("the demo model is not where the program was installed; give a model folder with --model");
}

}  // namespace palisade
