#pragma once

#include <atomic>
#include <functional>
#include <stdexcept>
#include <string>

#include "service/engine_model.h"

namespace palisade {

// A model without weights: answers with the prompt, unless told otherwise. What it may be told is set before
// it is used.
class StubModel : public EngineModel {
 public:
  ModelIdentity identity() const override { return {.id = "stub", .sha256 = std::string(64, 'a')}; }
  int image_size() const override { return 8; }
  int image_tokens() const override { return 4; }

  std::vector<ImageFeatures> encode(std::span<const Image> images, std::stop_token) override {
    encoded += int(images.size());
    std::vector<ImageFeatures> features;
    for (std::size_t i = 0; i < images.size(); ++i) features.push_back(std::make_shared<Matrix>(1, 1));
    return features;
  }

  Answer answer(std::span<const ImageFeatures> images, const std::string& prompt,
                const DecodingOptions& options, AnswerTiming&, std::stop_token stop) override {
    features_seen = int(images.size());
    if (on_answer) on_answer(prompt, options, stop);
    ++answered;
    return {.token_ids = {7, 1}, .text = "said: " + prompt, .logprob = -0.5};
  }

  std::function<void(const std::string& prompt, const DecodingOptions&, const std::stop_token&)> on_answer;
  std::atomic<int> encoded{0};
  std::atomic<int> answered{0};
  std::atomic<int> features_seen{0};
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
