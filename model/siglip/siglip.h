#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "frames/image.h"
#include "model/config/siglip_config.h"
#include "model/tensor/matrix.h"
#include "model/tensor/observer.h"
#include "model/text/tokenizer.h"
#include "model/weights/identity.h"
#include "model/weights/weight_files.h"

namespace palisade {

// SigLIP with both towers, read from a Hugging Face folder: how well each text fits each picture, with no
// text seen in training (transformers, modeling_siglip.py: SiglipModel). Used by one thread.
class Siglip {
 public:
  // Throws Error naming the file or tensor and the remedy.
  explicit Siglip(const std::filesystem::path& folder);
  ~Siglip();

  const SiglipConfig& config() const;
  const SiglipTokenizer& tokenizer() const;
  const ModelIdentity& identity() const;
  const WeightFiles& weight_files() const;

  // Unit vectors, one a picture (resized where it is not the model's square). [images, projection]
  Matrix embed(std::span<const Image> images, const Observer& observer = {}) const;
  // Unit vectors, one a text. [texts, projection]
  Matrix embed(std::span<const std::string> texts, const Observer& observer = {}) const;
  // exp(logit_scale) <image, text> + logit_bias of every pair. [images, texts]
  Matrix logits(ConstMatrixView images, ConstMatrixView texts) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

// The probability that a text fits a picture, each pair by itself: 1 / (1 + exp(-logit)).
float probability_of(float logit);

}  // namespace palisade
