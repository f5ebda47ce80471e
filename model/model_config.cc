#include "model/model_config.h"

#include "model/config_section.h"
#include "model/json.h"

namespace palisade {
namespace {

TextConfig read_text(const ConfigSection& section) {
  const std::string type = section.text("model_type", "");
  TextConfig text;
  if (type == "gemma") {
    text.architecture = TextArchitecture::kGemma;
  } else if (type == "gemma2") {
    text.architecture = TextArchitecture::kGemma2;
  } else {
    section.fail("model_type", "is \"" + type + "\"; expected gemma or gemma2");
  }
  const bool second = text.architecture == TextArchitecture::kGemma2;
  require_gelu_tanh(section, "hidden_activation");
  text.width = section.required("hidden_size", 1, kMaxConfigWidth);
  text.mlp_width = section.required("intermediate_size", 1, kMaxConfigWidth * 8);
  text.layers = section.required("num_hidden_layers", 1, 1024);
  text.heads = section.integer("num_attention_heads", second ? 8 : 16, 1, 1024);
  text.kv_heads = section.integer("num_key_value_heads", second ? 4 : 16, 1, 1024);
  text.head_dim = section.integer("head_dim", 256, 2, 4096);
  text.vocabulary = section.required("vocab_size", 1, 1 << 24);
  text.max_position_embeddings = section.integer("max_position_embeddings", 8192, 1, 1 << 17);
  text.rms_norm_eps = section.positive("rms_norm_eps", 1e-6f);
  text.rope_theta = section.positive("rope_theta", 10000.0f);
  if (text.heads % text.kv_heads != 0)
    section.fail("num_key_value_heads", "does not divide num_attention_heads");
  if (text.head_dim % 2 != 0) section.fail("head_dim", "must be even (RoPE turns pairs)");
  if (section.boolean("attention_bias", false))
    section.fail("attention_bias", "true is not known in PaliGemma");
  if (second) {
    text.query_pre_attn_scalar = section.positive("query_pre_attn_scalar", 256.0f);
    text.sliding_window = section.integer("sliding_window", 4096, 1, 1 << 24);
    // Absent is the default, null is off.
    if (!section.is_null("attn_logit_softcapping"))
      text.attention_softcap = section.positive("attn_logit_softcapping", 50.0f);
    if (!section.is_null("final_logit_softcapping"))
      text.final_softcap = section.positive("final_logit_softcapping", 30.0f);
  }
  return text;
}

std::vector<TokenId> read_eos(const ConfigSection& root, const std::vector<TokenId>& fallback) {
  const Json* value = root.find("eos_token_id");
  if (!value) return fallback;
  std::vector<TokenId> ids;
  for (const Json& id : value->is_array() ? *value : Json::array({*value})) {
    if (!id.is_number_integer() || id.get<std::int64_t>() < 0 || id.get<std::int64_t>() > INT32_MAX) {
      root.fail("eos_token_id", "expected a token id or a list of them");
    }
    ids.push_back(id.get<TokenId>());
  }
  if (ids.empty()) root.fail("eos_token_id", "is an empty list");
  return ids;
}

}  // namespace

std::optional<SlidingWindow> sliding_window_of(std::string_view name) {
  if (name == "transformers") return SlidingWindow::kTransformers;
  if (name == "none") return SlidingWindow::kNone;
  return std::nullopt;
}

VisionConfig read_vision_config(const ConfigSection& section) {
  const std::string type = section.text("model_type", "siglip_vision_model");
  if (type != "siglip_vision_model")
    section.fail("model_type", "is \"" + type + "\"; expected siglip_vision_model");
  require_gelu_tanh(section, "hidden_act");
  VisionConfig vision;
  vision.width = section.integer("hidden_size", 768, 1, kMaxConfigWidth);
  vision.mlp_width = section.integer("intermediate_size", 3072, 1, kMaxConfigWidth);
  vision.layers = section.integer("num_hidden_layers", 12, 1, 1024);
  vision.heads = section.integer("num_attention_heads", 12, 1, 1024);
  vision.image_size = section.integer("image_size", 224, 1, 8192);
  vision.patch_size = section.integer("patch_size", 16, 1, 1024);
  vision.channels = section.integer("num_channels", 3, 1, 16);
  vision.layer_norm_eps = section.positive("layer_norm_eps", 1e-6f);
  if (vision.width % vision.heads != 0) section.fail("num_attention_heads", "does not divide hidden_size");
  if (vision.channels != 3) section.fail("num_channels", "must be 3");
  if (vision.grid() < 1 || vision.grid() > 256)
    section.fail("image_size", "must hold 1 to 256 patches a side");
  return vision;
}

ModelConfig read_model_config(const std::filesystem::path& folder_or_file) {
  const bool is_folder = std::filesystem::is_directory(folder_or_file);
  const auto file = is_folder ? folder_or_file / "config.json" : folder_or_file;
  if (!std::filesystem::exists(file)) {
    throw ModelError(file.string() +
                     ": no such file; a model is a folder in Hugging Face layout with a config.json, "
                     "tokenizer.model and *.safetensors");
  }
  const Json json = read_json(file, 1u << 20);
  const ConfigSection root(json, file.string());
  const std::string type = root.text("model_type", "");
  if (type == "siglip") {
    root.fail("model_type",
              "is \"siglip\": it scores texts against a picture (palisade similar --model) and answers "
              "nothing; expected paligemma");
  }
  if (type != "paligemma") root.fail("model_type", "is \"" + type + "\"; expected paligemma");
  ModelConfig config;
  config.vision = read_vision_config(root.section("vision_config"));
  config.text = read_text(root.section("text_config"));
  // Stale top-level widths of released files are left aside: the parts say what they are.
  config.image_token =
      root.integer("image_token_index", root.integer("image_token_id", 256000, 0, INT32_MAX), 0, INT32_MAX);
  config.pad_token = root.integer("pad_token_id", 0, 0, INT32_MAX);
  config.bos_token = root.integer("bos_token_id", 2, 0, INT32_MAX);
  // The text part's own list is left aside: Gemma 2's names <end_of_turn>, an ordinary token here.
  config.eos_tokens = read_eos(root, {1});
  const auto generation = file.parent_path() / "generation_config.json";
  if (is_folder && std::filesystem::exists(generation)) {
    const Json generation_json = read_json(generation, 1u << 20);
    config.eos_tokens = read_eos(ConfigSection(generation_json, generation.string()), config.eos_tokens);
  }
  if (config.bos_token >= config.text.vocabulary) root.fail("bos_token_id", "is not below vocab_size");
  return config;
}

std::uint64_t VisionConfig::parameter_count() const {
  const std::uint64_t w = width, mlp = mlp_width;
  const std::uint64_t patch = w * channels * patch_size * patch_size + w;
  const std::uint64_t layer = 4 * (w * w + w) + (w * mlp + mlp) + (mlp * w + w) + 4 * w;
  return patch + std::uint64_t(tokens()) * w + layers * layer + 2 * w;
}

std::uint64_t ModelConfig::parameter_count() const {
  const std::uint64_t vw = vision.width, tw = text.width, tm = text.mlp_width;
  const std::uint64_t projection = vw * tw + tw;
  const std::uint64_t attention =
      tw * text.head_dim * (2 * std::uint64_t(text.heads) + 2 * std::uint64_t(text.kv_heads));
  const std::uint64_t norms = (text.architecture == TextArchitecture::kGemma2 ? 4 : 2) * tw;
  const std::uint64_t language = text.vocabulary * tw + text.layers * (attention + 3 * tw * tm + norms) + tw;
  return vision.parameter_count() + projection + language;
}

std::string_view name_of(TextArchitecture architecture) {
  return architecture == TextArchitecture::kGemma ? "gemma" : "gemma2";
}

}  // namespace palisade
