#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>

#include "frames/clip.h"
#include "service/engine/engine_model.h"

namespace palisade {

// A model without weights, which answers with the prompt unless a test says otherwise. Its public members are
// to be set before it is used.
class StubModel : public EngineModel {
 public:
  ModelIdentity identity() const override { return {.id = "stub", .sha256 = std::string(64, 'a')}; }
  int image_size() const override { return 8; }
  int image_tokens() const override { return 4; }
  int max_tokens() const override { return 8192; }

  SharedAdapter load_adapter(const std::filesystem::path& folder) override {
    auto adapter = std::make_shared<Adapter>();
    adapter->identity = {.id = folder.filename().string(), .sha256 = std::string(64, 'b')};
    return adapter;
  }

  std::unique_ptr<EncodeJob> encode(std::vector<Image> images, SharedAdapter) override {
    if (on_encode) on_encode(images);
    encoded += int(images.size());
    ++encode_batches;
    return std::make_unique<StubEncodeJob>(*this, std::move(images));
  }

  std::unique_ptr<AnswerJob> answer(std::vector<ImageFeatures> images, const std::string& prompt,
                                    DecodingOptions options, const Prune& prune,
                                    SharedAdapter adapter) override {
    if (on_adapter) on_adapter(prompt, adapter);
    features_seen = int(images.size());
    // Pretends that all images but the first are static.
    const int tokens = (prune ? 1 : int(images.size())) * image_tokens();
    return std::make_unique<Answering>(*this, prompt, std::move(options), tokens);
  }

  void step(std::span<AnswerJob* const> jobs) override {
    ++steps;
    if (on_step) on_step();
    most_together = std::max(most_together.load(), int(jobs.size()));
    for (AnswerJob* const job : jobs) static_cast<Answering*>(job)->step();
  }

  // Called at the end of each prefill. If it throws, that is the answer's error.
  std::function<void(const std::string& prompt, const DecodingOptions&)> on_answer;
  std::function<void(const std::string& prompt, const SharedAdapter&)> on_adapter;
  std::function<void(const std::vector<Image>&)> on_encode;
  std::function<void()> on_slice;  // at every piece of a prefill
  std::function<void()> on_step;
  std::function<std::string(int steps)> text_so_far;
  std::function<int(const std::string& prompt)> tokens_of = [](const std::string&) { return 0; };
  std::function<ImageFeatures(const Image&)> features_of = [](const Image&) {
    return std::make_shared<Matrix>(1, 1);
  };
  std::atomic<int> prefill_slices = 1;
  std::size_t bytes_each = 1;
  std::atomic<int> encoded{0};
  std::atomic<int> encode_batches{0};
  std::atomic<int> answered{0};
  std::atomic<int> features_seen{0};
  std::atomic<int> steps{0};
  std::atomic<int> most_together{0};
  std::atomic<int> alive{0};  // answers in the making

 private:
  class StubEncodeJob : public EncodeJob {
   public:
    StubEncodeJob(StubModel& model, std::vector<Image> images) : model_(model), images_(std::move(images)) {}
    bool advance(MonotonicTime::duration) override { return false; }
    std::vector<ImageFeatures> features() override {
      std::vector<ImageFeatures> features;
      for (const Image& image : images_) features.push_back(model_.features_of(image));
      return features;
    }

   private:
    StubModel& model_;
    std::vector<Image> images_;
  };

  class Answering : public AnswerJob {
   public:
    Answering(StubModel& model, std::string prompt, DecodingOptions options, int image_tokens)
        : model_(model),
          prompt_(std::move(prompt)),
          options_(std::move(options)),
          image_tokens_(image_tokens),
          slices_(model.prefill_slices),
          tokens_(model.tokens_of(prompt_)) {
      ++model_.alive;
    }
    ~Answering() override { --model_.alive; }

    int image_tokens() const override { return image_tokens_; }
    std::size_t kv_bytes() const override { return model_.bytes_each; }
    bool prefill(MonotonicTime::duration) override {
      if (model_.on_slice) model_.on_slice();
      if (--slices_ > 0) return true;
      if (model_.on_answer) model_.on_answer(prompt_, options_);
      return false;
    }
    bool done() const override { return reason_ || tokens_ <= 0; }
    std::string text() const override { return model_.text_so_far ? model_.text_so_far(stepped_) : ""; }
    Answer answer() const override {
      ++model_.answered;
      return {.token_ids = {7, 1},
              .text = "said: " + prompt_,
              .logprob = -0.5,
              .finish_reason = reason_.value_or(FinishReason::kStop)};
    }
    void step() {
      --tokens_;
      ++stepped_;
      if (options_.cancelled && options_.cancelled()) reason_ = FinishReason::kCancelled;
      if (options_.deadline && std::chrono::steady_clock::now() >= *options_.deadline) {
        reason_ = FinishReason::kDeadline;
      }
    }

   private:
    StubModel& model_;
    std::string prompt_;
    DecodingOptions options_;
    int image_tokens_;
    int slices_;
    int tokens_;
    int stepped_ = 0;
    std::optional<FinishReason> reason_;
  };
};

inline Image small_image(std::uint8_t shade) {
  return Image(8, 8, std::vector<std::uint8_t>(8 * 8 * 3, shade));
}

inline Clip small_clip(std::vector<Image> images) {
  Clip clip;
  for (Image& image : images) {
    Frame frame;
    frame.stream = "front_door";
    frame.image = std::move(image);
    clip.frames.push_back(frame);
  }
  return clip;
}

}  // namespace palisade
