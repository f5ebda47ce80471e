#include "service/engine/slowed_model.h"

#include <chrono>
#include <thread>
#include <vector>

namespace palisade {
namespace {

// Its destructor sleeps for the time that the slowdown adds to its lifetime.
class Slowdown {
 public:
  explicit Slowdown(double factor) : factor_(factor) {}
  ~Slowdown() { std::this_thread::sleep_for((factor_ - 1) * (std::chrono::steady_clock::now() - begun_)); }
  Slowdown(const Slowdown&) = delete;
  Slowdown& operator=(const Slowdown&) = delete;

 private:
  double factor_;
  MonotonicTime begun_ = std::chrono::steady_clock::now();
};

class SlowedEncodeJob : public EncodeJob {
 public:
  SlowedEncodeJob(std::unique_ptr<EncodeJob> job, double factor) : job_(std::move(job)), factor_(factor) {}
  bool advance(MonotonicTime::duration time) override {
    const Slowdown slow(factor_);
    return job_->advance(std::chrono::duration_cast<MonotonicTime::duration>(time / factor_));
  }
  std::vector<ImageFeatures> features() override { return job_->features(); }

 private:
  std::unique_ptr<EncodeJob> job_;
  double factor_;
};

class SlowedAnswerJob : public AnswerJob {
 public:
  SlowedAnswerJob(std::unique_ptr<AnswerJob> job, double factor) : job_(std::move(job)), factor_(factor) {}
  int image_tokens() const override { return job_->image_tokens(); }
  std::size_t kv_bytes() const override { return job_->kv_bytes(); }
  bool prefill(MonotonicTime::duration time) override {
    const Slowdown slow(factor_);
    return job_->prefill(std::chrono::duration_cast<MonotonicTime::duration>(time / factor_));
  }
  bool done() const override { return job_->done(); }
  std::string text() const override { return job_->text(); }
  Answer answer() const override { return job_->answer(); }
  AnswerJob* inner() { return job_.get(); }

 private:
  std::unique_ptr<AnswerJob> job_;
  double factor_;
};

class SlowedModel : public EngineModel {
 public:
  SlowedModel(std::unique_ptr<EngineModel> model, double factor)
      : model_(std::move(model)), factor_(factor) {}
  ModelIdentity identity() const override { return model_->identity(); }
  int image_size() const override { return model_->image_size(); }
  int image_tokens() const override { return model_->image_tokens(); }
  int max_tokens() const override { return model_->max_tokens(); }
  SharedAdapter load_adapter(const std::filesystem::path& folder) override {
    return model_->load_adapter(folder);
  }
  std::unique_ptr<EncodeJob> encode(std::vector<Image> images, SharedAdapter adapter) override {
    return std::make_unique<SlowedEncodeJob>(model_->encode(std::move(images), std::move(adapter)), factor_);
  }
  std::unique_ptr<AnswerJob> answer(std::vector<ImageFeatures> images, const std::string& prompt,
                                    DecodingOptions options, const Prune& prune,
                                    SharedAdapter adapter) override {
    return std::make_unique<SlowedAnswerJob>(
        model_->answer(std::move(images), prompt, std::move(options), prune, std::move(adapter)), factor_);
  }
  void step(std::span<AnswerJob* const> jobs) override {
    const Slowdown slow(factor_);
    std::vector<AnswerJob*> inner;
    for (AnswerJob* const job : jobs) inner.push_back(static_cast<SlowedAnswerJob*>(job)->inner());
    model_->step(inner);
  }

 private:
  std::unique_ptr<EngineModel> model_;
  double factor_;
};

}  // namespace

std::unique_ptr<EngineModel> slowed(std::unique_ptr<EngineModel> model, double factor) {
  return std::make_unique<SlowedModel>(std::move(model), factor);
}

}  // namespace palisade
