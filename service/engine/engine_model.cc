#include "service/engine/engine_model.h"

#include <algorithm>
#include <map>
#include <mutex>

#include "base/log.h"
#include "model/config/config_keys.h"
#include "model/decoding/generation.h"
#include "model/error.h"
#include "model/paligemma/static_images.h"
#include "model/weights/weights_hash.h"
#include "service/engine/pace.h"
#include "service/settings/shipped.h"

namespace palisade {
namespace {

// Rows of images that are encoded as one batch; more bring nothing and take memory.
constexpr int kRowsTogether = 1024;

// Advances an ImageEncoding or a Prefill by about `time`.
template <typename Work>
bool advance_paced(Work& work, Pace& pace, MonotonicTime::duration time) {
  const double before = work.operations();
  const auto begun = std::chrono::steady_clock::now();
  const bool more = work.advance(pace.operations_in(time));
  pace.saw(work.operations() - before, std::chrono::steady_clock::now() - begun);
  return more;
}

class PaliGemmaEncodeJob : public EncodeJob {
 public:
  PaliGemmaEncodeJob(const PaliGemma& model, Pace& pace, std::vector<Image> images, SharedAdapter adapter)
      : model_(model),
        pace_(pace),
        images_(std::move(images)),
        adapter_(std::move(adapter)),
        together_(std::size_t(images_encoded_together(model.config().image_tokens()))) {}

  bool advance(MonotonicTime::duration time) override {
    if (!encoding_) {
      const std::size_t count = std::min(together_, images_.size() - features_.size());
      encoding_ = model_.begin_encode(std::span(images_).subspan(features_.size(), count), {}, adapter_);
      return true;
    }
    if (advance_paced(*encoding_, pace_, time)) return true;
    for (ImageFeatures& one : encoding_->finish()) features_.push_back(std::move(one));
    encoding_.reset();
    return features_.size() < images_.size();
  }
  std::vector<ImageFeatures> features() override { return std::move(features_); }

 private:
  const PaliGemma& model_;
  Pace& pace_;
  std::vector<Image> images_;
  SharedAdapter adapter_;
  std::size_t together_;
  std::unique_ptr<ImageEncoding> encoding_;  // of the images after features_
  std::vector<ImageFeatures> features_;
};

class PaliGemmaAnswerJob : public AnswerJob {
 public:
  PaliGemmaAnswerJob(const PaliGemma& model, Pace& pace, std::vector<ImageFeatures> images,
                     const std::string& prompt, DecodingOptions options, const Prune& prune,
                     SharedAdapter adapter)
      : model_(model),
        pace_(pace),
        options_(std::move(options)),
        adapter_(std::move(adapter)),
        images_(std::move(images)),
        read_as_(prune ? read_images(images_, *prune) : std::vector<int>()),
        image_tokens_(tokens_read()),
        prompt_(model.prompt_ids(prompt)),
        needs_(needs_of(model, options_)),
        positions_(int(images_.size()) * model.config().image_tokens() + int(prompt_.size()) +
                   needs_.new_positions) {
    // Gemma 2's probabilities are those of capped logits, as in transformers since 5.0 and in big_vision.
    if (!options_.softcap) options_.softcap = model.config().text.final_softcap;
    model_.require_room(positions_);
  }

  int image_tokens() const override { return image_tokens_; }
  std::size_t kv_bytes() const override {
    // Beams and choices share the prefill.
    int forks = needs_.sequences > 1 ? needs_.sequences * needs_.new_positions : 0;
    for (const auto& continuation : needs_.continuations) forks += int(continuation.size());
    return std::size_t(positions_ + forks) * model_.kv_bytes_per_position();
  }

  bool prefill(MonotonicTime::duration time) override {
    if (!prefill_) {
      const PrefillOptions options{.read_as = read_as_, .adapter = adapter_};
      prefill_ = needs_.continuations.empty()
                     ? model_.begin_prefill(images_, prompt_, needs_.new_positions, {}, options)
                     : model_.begin_scoring(images_, prompt_, needs_.continuations, options);
      images_.clear();
      return true;
    }
    if (advance_paced(*prefill_, pace_, time)) return true;
    auto scored = prefill_->continuation_logprobs(options_.softcap);
    generation_.emplace(model_, prefill_->finish(), std::move(options_), std::move(scored));
    prefill_.reset();
    choose();
    return false;
  }
  bool done() const override { return failure_ || (generation_ && generation_->done()); }
  std::string text() const override { return generation_->text(); }
  Answer answer() const override {
    if (failure_) throw Error(*failure_);
    return generation_->finish();
  }

  // Non-finite logits end this answer alone.
  void choose() {
    try {
      generation_->choose();
    } catch (const Error& error) {
      failure_ = error.what();
    }
  }
  Generation& generation() { return *generation_; }

 private:
  int tokens_read() const {
    int tokens = 0;
    for (int image = 0; image < int(images_.size()); ++image) {
      if (read_as_.empty() || read_as_[image] == image) tokens += images_[image]->rows();
    }
    return tokens;
  }

  const PaliGemma& model_;
  Pace& pace_;
  DecodingOptions options_;
  SharedAdapter adapter_;
  std::vector<ImageFeatures> images_;
  std::vector<int> read_as_;
  int image_tokens_;
  std::vector<TokenId> prompt_;
  GenerationNeeds needs_;
  int positions_;
  std::unique_ptr<Prefill> prefill_;
  std::optional<Generation> generation_;
  std::optional<std::string> failure_;
};

class PaliGemmaEngineModel : public EngineModel {
 public:
  PaliGemmaEngineModel(const std::filesystem::path& folder, const EngineModelOptions& options)
      : model_(folder, options.sliding_window, chosen_precision(options.precision), options.weights),
        resize_(options.resize.value_or(model_.identity().resize)),
        hash_(
            model_.weight_files(),
            [this, held = options.while_loading]() mutable {
              const auto until_loaded = std::move(held);
              if (const std::string note = model_.packed_cache_note(); !note.empty()) log_info(note);
            },
            options.weights.sha256) {
    for (const std::string& key : unknown_keys(folder))
      log_warning((folder / key).string() + ": neither Palisade nor transformers knows this key; left aside");
  }
  // Before hash_ is destroyed, which waits for a thread that waits for the model.
  ~PaliGemmaEngineModel() override { model_.stop_loading(); }

  ModelIdentity identity() const override {
    ModelIdentity identity = model_.identity();
    identity.resize = resize_;
    identity.sha256 = hash_.hex();
    return identity;
  }
  int image_size() const override { return model_.image_size(); }
  int image_tokens() const override { return model_.config().image_tokens(); }
  int max_tokens() const override { return model_.config().text.max_position_embeddings; }

  SharedAdapter load_adapter(const std::filesystem::path& folder) override {
    const std::lock_guard lock(adapters_mutex_);
    std::weak_ptr<const Adapter>& known = adapters_[folder];
    SharedAdapter adapter = known.lock();
    if (!adapter) known = adapter = model_.load_adapter(folder);
    return adapter;
  }

  std::unique_ptr<EncodeJob> encode(std::vector<Image> images, SharedAdapter adapter) override {
    return std::make_unique<PaliGemmaEncodeJob>(model_, encode_pace_, std::move(images), std::move(adapter));
  }

  std::unique_ptr<AnswerJob> answer(std::vector<ImageFeatures> images, const std::string& prompt,
                                    DecodingOptions options, const Prune& prune,
                                    SharedAdapter adapter) override {
    return std::make_unique<PaliGemmaAnswerJob>(model_, prefill_pace_, std::move(images), prompt,
                                                std::move(options), prune, std::move(adapter));
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
  std::mutex adapters_mutex_;
  std::map<std::filesystem::path, std::weak_ptr<const Adapter>> adapters_;  // guarded by adapters_mutex_
  Pace encode_pace_;
  Pace prefill_pace_;
};

}  // namespace

Precision chosen_precision(PrecisionChoice choice) {
  if (choice) return *choice;
  const PrecisionTrial trial = try_precisions();
  log_info("precision auto: " + std::string(name_of(trial.fastest)) + " (" + trial.measured + ")");
  return trial.fastest;
}

int images_encoded_together(int image_tokens) {
  return std::max(1, kRowsTogether / image_tokens);
}

std::unique_ptr<EngineModel> load_engine_model(const std::filesystem::path& folder,
                                               const EngineModelOptions& options) {
  return std::make_unique<PaliGemmaEngineModel>(folder, options);
}

std::filesystem::path demo_model_folder() {
  std::error_code error;
  const auto folder = shipped("models/demo", "models/demo");
  if (folder && std::filesystem::is_regular_file(*folder / "config.json", error)) return *folder;
  throw ModelError("the demo model is not where the program was installed; give a model folder with --model");
}

}  // namespace palisade
