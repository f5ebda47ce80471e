#include "service/engine_model.h"

#include <algorithm>

#include "model/error.h"
#include "model/generation.h"
#include "service/weights_hash.h"

namespace palisade {
namespace {

// As many images at a time as are about 50 ms of two cores; the largest towers take longer for one.
constexpr double kSliceOperations = 1.5e10;

class PaliGemmaEncodeJob : public EncodeJob {
 public:
  PaliGemmaEncodeJob(const PaliGemma& model, std::vector<Image> images)
      : model_(model), images_(std::move(images)) {
    const VisionConfig& vision = model.config().vision;
    const double weights = vision.layers * (4.0 * vision.width + 2.0 * vision.mlp_width) * vision.width;
    slice_ = std::max<std::size_t>(1, std::size_t(kSliceOperations / (2.0 * weights * vision.tokens())));
  }

  bool advance() override {
    const std::size_t count = std::min(slice_, images_.size() - features_.size());
    for (ImageFeatures& one : model_.encode(std::span(images_).subspan(features_.size(), count))) {
      features_.push_back(std::move(one));
    }
    return features_.size() < images_.size();
  }
  std::vector<ImageFeatures> features() override { return std::move(features_); }

 private:
  const PaliGemma& model_;
  std::vector<Image> images_;
  std::vector<ImageFeatures> features_;
  std::size_t slice_;
};

class PaliGemmaAnswerJob : public AnswerJob {
 public:
  PaliGemmaAnswerJob(const PaliGemma& model, std::span<const ImageFeatures> images, const std::string& prompt,
                     DecodingOptions options)
      : model_(model),
        options_(std::move(options)),
        prefill_(
            model.begin_prefill(images, model.prompt_ids(prompt), needs_of(model, options_).new_positions)) {}

  bool prefill() override {
    if (prefill_->advance()) return true;
    generation_.emplace(model_, prefill_->finish(), std::move(options_));
    prefill_.reset();
    choose();
    return false;
  }
  bool done() const override { return failure_ || (generation_ && generation_->done()); }
  Answer answer() const override {
    if (failure_) throw ModelError(*failure_);
    return generation_->finish();
  }

  // Bad logits end this answer and no other.
  void choose() {
    try {
      generation_->choose();
    } catch (const ModelError& error) {
      failure_ = error.what();
    }
  }
  Generation& generation() { return *generation_; }

 private:
  const PaliGemma& model_;
  DecodingOptions options_;
  std::unique_ptr<Prefill> prefill_;
  std::optional<Generation> generation_;
  std::optional<std::string> failure_;
};

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

  std::size_t kv_bytes(int images, const std::string& prompt, const DecodingOptions& options) const override {
    const GenerationNeeds needs = needs_of(model_, options);
    const std::size_t positions = std::size_t(images) * image_tokens() + model_.prompt_ids(prompt).size() +
                                  std::size_t(needs.new_positions);
    return positions * std::size_t(needs.sequences) * model_.kv_bytes_per_position();
  }

  std::unique_ptr<EncodeJob> encode(std::vector<Image> images) override {
    return std::make_unique<PaliGemmaEncodeJob>(model_, std::move(images));
  }

  std::unique_ptr<AnswerJob> answer(std::vector<ImageFeatures> images, const std::string& prompt,
                                    DecodingOptions options) override {
    return std::make_unique<PaliGemmaAnswerJob>(model_, images, prompt, std::move(options));
  }

  void step(std::span<AnswerJob* const> jobs) override {
    std::vector<Generation*> generations;
    for (AnswerJob* const job : jobs)
      generations.push_back(&static_cast<PaliGemmaAnswerJob*>(job)->generation());
    step_all(model_, generations);
    for (AnswerJob* const job : jobs) static_cast<PaliGemmaAnswerJob*>(job)->choose();
  }

 private:
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
