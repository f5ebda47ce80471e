#include "model/siglip/siglip.h"

#include <cmath>

#include "base/format.h"
#include "model/config/likely_cause.h"
#include "model/config/preprocessor.h"
#include "model/error.h"
#include "model/kernels/kernels.h"
#include "model/siglip/image_encoder.h"
#include "model/siglip/pooling_head.h"
#include "model/siglip/text_encoder.h"
#include "model/weights/checkpoint.h"
#include "model/weights/tensor_names.h"

namespace palisade {
namespace {

float read_scalar(const Checkpoint& checkpoint, const std::string& name) {
  const float value = checkpoint.read(name, {1}).row(0)[0];
  if (!std::isfinite(value)) throw ModelError("tensor \"" + name + "\" is no number");
  return value;
}

double dot(std::span<const float> x, std::span<const float> y) {
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += double(x[i]) * y[i];
  return sum;
}

void normalise_rows(Matrix& x) {
  for (int row = 0; row < x.rows(); ++row)
    scale(x.row(row), float(1.0 / std::sqrt(dot(x.row(row), x.row(row)))));
}

// SigLIP 2 calls itself siglip too, but reads texts by Gemma's tokenizer.
void require_first_siglip(const std::filesystem::path& folder) {
  if (std::filesystem::exists(folder / "spiece.model")) return;
  if (std::filesystem::exists(folder / "tokenizer.model") ||
      std::filesystem::exists(folder / "tokenizer.json")) {
    throw ModelError(
        folder.string() +
        ": has Gemma's tokenizer instead of spiece.model: is it SigLIP 2? Palisade runs the first SigLIP; "
        "bring such a folder (google/siglip-base-patch16-224 is one)");
  }
}

}  // namespace

struct Siglip::Parts {
  SiglipConfig config;
  Preprocessor preprocessor;
  SiglipTokenizer tokenizer;
  ModelIdentity identity;
  WeightFiles weight_files;
  ImageEncoder image_encoder;
  PoolingHead pooling_head;
  TextEncoder text_encoder;
  float logit_scale;
  float logit_bias;

  Parts(const std::filesystem::path& folder, const SiglipConfig& config_, const Checkpoint& checkpoint)
      : config(config_),
        preprocessor(read_preprocessor(folder, config.vision.image_size)),
        tokenizer(folder),
        identity(identify(folder, preprocessor.resize)),
        weight_files(checkpoint.files()),
        image_encoder(config.vision, checkpoint, "vision_model.", Precision::kF32),
        pooling_head({.width = config.vision.width,
                      .mlp_width = config.vision.mlp_width,
                      .heads = config.vision.heads,
                      .layer_norm_eps = config.vision.layer_norm_eps},
                     checkpoint, "vision_model.head."),
        text_encoder(config.text, checkpoint, "text_model."),
        logit_scale(read_scalar(checkpoint, "logit_scale")),
        logit_bias(read_scalar(checkpoint, "logit_bias")) {
    if (tokenizer.piece_count() > config.text.vocabulary) {
      throw ModelError(format("{}: has {} pieces, more than the model's vocab_size {}",
                              (folder / "spiece.model").string(), tokenizer.piece_count(),
                              config.text.vocabulary));
    }
  }
};

Siglip::Siglip(const std::filesystem::path& folder) {
  require_model_folder(folder);
  const SiglipConfig config = read_siglip_config(folder);  // its errors come before those of the weights
  require_first_siglip(folder);
  const Checkpoint checkpoint(folder);
  checkpoint.require_only(known_tensors(config));
  parts_ = std::make_unique<Parts>(folder, config, checkpoint);
}

Siglip::~Siglip() = default;

const SiglipConfig& Siglip::config() const {
  return parts_->config;
}
const SiglipTokenizer& Siglip::tokenizer() const {
  return parts_->tokenizer;
}
const ModelIdentity& Siglip::identity() const {
  return parts_->identity;
}
const WeightFiles& Siglip::weight_files() const {
  return parts_->weight_files;
}

Matrix Siglip::embed(std::span<const Image> images, const Observer& observer) const {
  std::vector<Matrix> pixels;
  for (const Image& image : images) {
    pixels.push_back(parts_->preprocessor.pixel_values(parts_->preprocessor.to_square(image)));
    if (observer) observer("pixel_values", pixels.back());
  }
  const Matrix tokens = parts_->image_encoder.forward(pixels, observer);
  Matrix pooled = parts_->pooling_head.forward(tokens, parts_->config.vision.tokens());
  if (observer) observer("vision.pooler", pooled);
  normalise_rows(pooled);
  return pooled;
}

Matrix Siglip::embed(std::span<const std::string> texts, const Observer& observer) const {
  std::vector<TokenId> ids;
  for (const std::string& text : texts) {
    const auto one = parts_->tokenizer.encode(text, parts_->config.text.positions);
    ids.insert(ids.end(), one.begin(), one.end());
  }
  Matrix pooled = parts_->text_encoder.forward(ids, observer);
  if (observer) observer("text.pooler", pooled);
  normalise_rows(pooled);
  return pooled;
}

Matrix Siglip::logits(ConstMatrixView images, ConstMatrixView texts) const {
  const double factor = std::exp(double(parts_->logit_scale));
  Matrix scores(images.rows, texts.rows);
  for (int image = 0; image < images.rows; ++image) {
    for (int text = 0; text < texts.rows; ++text)
      scores.row(image)[text] = float(factor * dot(images.row(image), texts.row(text)) + parts_->logit_bias);
  }
  return scores;
}

float probability_of(float logit) {
  return float(1.0 / (1.0 + std::exp(-double(logit))));
}

}  // namespace palisade
