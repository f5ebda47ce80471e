#include "model/config/model_shapes.h"

#include "base/format.h"

namespace palisade {
namespace {

constexpr int kPublishedVocabulary = 257216;
// SigLIP-So400m/14, the image tower of all that were published.
constexpr VisionConfig kSo400m{
    .width = 1152, .mlp_width = 4304, .layers = 27, .heads = 16, .image_size = 224, .patch_size = 14};

struct Language {
  std::string_view name;
  TextConfig text;
};

TextConfig second(TextConfig text) {
  text.architecture = TextArchitecture::kGemma2;
  text.attention_softcap = 50.0f;
  text.final_softcap = 30.0f;
  return text;
}

// tests/golden/reference/released_configs; 28b is Gemma 2 27B (arXiv 2408.00118, table 1).
std::vector<Language> published() {
  const auto shape = [](int width, int mlp, int layers, int heads, int kv_heads) {
    return TextConfig{.width = width,
                      .mlp_width = mlp,
                      .layers = layers,
                      .heads = heads,
                      .kv_heads = kv_heads,
                      .vocabulary = kPublishedVocabulary};
  };
  TextConfig large = second(shape(4608, 36864, 46, 32, 16));
  large.head_dim = 128;
  large.query_pre_attn_scalar = 144.0f;
  return {{"paligemma-3b", shape(2048, 16384, 18, 8, 1)},
          {"paligemma2-3b", second(shape(2304, 9216, 26, 8, 4))},
          {"paligemma2-10b", second(shape(3584, 14336, 42, 16, 8))},
          {"paligemma2-28b", large}};
}

struct PublishedShape {
  std::string name;
  ModelConfig config;
};

ModelConfig config_of(const VisionConfig& vision, const TextConfig& text) {
  ModelConfig config;
  config.vision = vision;
  config.text = text;
  config.image_token = text.vocabulary - 64;
  return config;
}

std::vector<PublishedShape> all_shapes() {
  std::vector<PublishedShape> shapes;
  for (const Language& language : published()) {
    for (const int size : {224, 448, 896}) {
      VisionConfig vision = kSo400m;
      vision.image_size = size;
      shapes.push_back({format("{}-{}", language.name, size), config_of(vision, language.text)});
    }
  }
  // A tenth of the smallest published one in every respect that counts for speed: weights beyond the caches.
  const VisionConfig base{.width = 512, .mlp_width = 2048, .layers = 8, .heads = 8, .patch_size = 14};
  shapes.push_back(
      {"small-224",
       config_of(
           base,
           {.width = 1024, .mlp_width = 8192, .layers = 8, .heads = 4, .kv_heads = 1, .vocabulary = 32768})});
  const VisionConfig tiny{
      .width = 32, .mlp_width = 64, .layers = 2, .heads = 2, .image_size = 56, .patch_size = 14};
  const TextConfig text{.width = 64,
                        .mlp_width = 128,
                        .layers = 2,
                        .heads = 2,
                        .kv_heads = 1,
                        .head_dim = 32,
                        .vocabulary = 512};
  shapes.push_back({"tiny", config_of(tiny, text)});
  shapes.push_back({"tiny2", config_of(tiny, second(text))});
  return shapes;
}

}  // namespace

std::vector<std::string> shape_names() {
  std::vector<std::string> names;
  for (const PublishedShape& shape : all_shapes()) names.push_back(shape.name);
  return names;
}

std::optional<ModelConfig> config_of_shape(std::string_view name) {
  for (const PublishedShape& shape : all_shapes()) {
    if (shape.name == name) return shape.config;
  }
  return std::nullopt;
}

}  // namespace palisade
