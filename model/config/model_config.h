#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/token_id.h"

namespace palisade {

class ConfigSection;

// SigLIP's image tower (vision_config).
struct VisionConfig {
  int width = 0;      // hidden_size
  int mlp_width = 0;  // intermediate_size
  int layers = 0;
  int heads = 0;
  int image_size = 224;
  int patch_size = 16;
  int channels = 3;
  float layer_norm_eps = 1e-6f;

  int grid() const { return image_size / patch_size; }
  int tokens() const { return grid() * grid(); }
  // Of the tower without a pooling head.
  std::uint64_t parameter_count() const;
  bool operator==(const VisionConfig&) const = default;
};

enum class TextArchitecture { kGemma, kGemma2 };

// Gemma 2's sliding window while decoding: as transformers (sliding layers keep `sliding_window` keys), or
// none (big_vision).
enum class SlidingWindow { kTransformers, kNone };
// "transformers" or "none".
std::optional<SlidingWindow> sliding_window_of(std::string_view name);

// Gemma or Gemma 2 (text_config).
struct TextConfig {
  TextArchitecture architecture = TextArchitecture::kGemma;
  int width = 0;
  int mlp_width = 0;
  int layers = 0;
  int heads = 0;
  int kv_heads = 0;
  int head_dim = 256;
  int vocabulary = 0;  // rows of the embedding as stored
  int max_position_embeddings = 8192;
  float rms_norm_eps = 1e-6f;
  float rope_theta = 10000.0f;
  float rope_factor = 1.0f;  // positions are divided by it ("linear" scaling)
  // The head is no part of the embedding: as config.json says, or as weights say that were matched with it.
  bool own_head = false;
  // Gemma 2 alone.
  float query_pre_attn_scalar = 256.0f;
  int sliding_window = 4096;
  std::optional<float> attention_softcap;
  std::optional<float> final_softcap;
  std::vector<bool> sliding_layers = {};  // layer_types; empty: every other layer, from the first on

  bool slides(int layer) const {
    return sliding_layers.empty() ? layer % 2 == 0 : sliding_layers[std::size_t(layer)];
  }
  bool operator==(const TextConfig&) const = default;
};

// What a config.json says, with transformers' defaults for what it leaves out.
struct ModelConfig {
  VisionConfig vision;
  TextConfig text;
  TokenId image_token = 0;
  TokenId pad_token = 0;
  TokenId bos_token = 2;
  std::vector<TokenId> eos_tokens = {1};

  int image_tokens() const { return vision.tokens(); }
  // Every stored parameter, the tied head counted once.
  std::uint64_t parameter_count() const;
  bool operator==(const ModelConfig&) const = default;
};

// Throws Error naming the file, the key and what is expected. `folder_or_file`: a model folder or a
// config.json.
ModelConfig read_model_config(const std::filesystem::path& folder_or_file);
// A vision_config, of PaliGemma or of SigLIP alone.
VisionConfig read_vision_config(const ConfigSection& section);
std::string_view name_of(TextArchitecture architecture);

}  // namespace palisade
