#pragma once

#include <string>
#include <vector>

#include "ingest/pictures/picture.h"
#include "model/decoding/generation.h"
#include "tests/model/golden.h"

namespace palisade {

// A small model of the golden data with the features of one picture, about which tests ask it.
struct ReferenceModel {
  explicit ReferenceModel(const std::string& name = "paligemma1-tiny",
                          SlidingWindow window = SlidingWindow::kTransformers)
      : model(kModels / name, window) {
    const Image image = read_picture(kReference / "images/still0.png");
    features = model.encode({&image, 1});
  }

  Sequence prefill(int new_positions, const std::string& prompt = "caption en") const {
    return model.prefill(features, model.prompt_ids(prompt), new_positions);
  }
  Answer answer(const DecodingOptions& options, const std::string& prompt = "caption en") const {
    return decode(model, prefill(needs_of(model, options).new_positions, prompt), options);
  }

  PaliGemma model;
  std::vector<ImageFeatures> features;
};

}  // namespace palisade
