#include "model/config/model_config.h"

#include <algorithm>

#include "base/format.h"
#include "base/json.h"
#include "model/config/config_section.h"
#include "model/config/likely_cause.h"
#include "model/config/model_families.h"
#include "model/config/text_config.h"

namespace palisade {
namespace {

// transformers' order: rope_scaling, where there is any, stands for rope_parameters as a whole; a rope_theta
// beside them is for what they leave out.
void read_rope(const ConfigSection& section, TextConfig& text) {
  text.rope_theta = section.positive("rope_theta", 10000.0f);
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    const Json* const value = section.find(key);
    if (value == nullptr || (value->is_object() && value->empty())) continue;
    const ConfigSection rope = section.section(key);
    rope.refuse(ConfigPlace::kRope);
    text.rope_theta = rope.positive("rope_theta", text.rope_theta);
    const char* const type_key = rope.find("rope_type") != nullptr ? "rope_type" : "type";
    const std::string type = rope.text(type_key, "default");
    if (type == "linear") {
      if (rope.find("factor") == nullptr)
        rope.fail("factor", "is missing; linear scaling divides positions by it");
      text.rope_factor = rope.positive("factor", 1.0f);
    } else if (type != "default") {
      rope.fail(type_key,
                "is \"" + type + "\"; default and linear are known, bring a model that was trained so");
    }
    return;
  }
}

std::vector<bool> read_layer_types(const ConfigSection& section, int layers) {
  const Json* const value = section.find("layer_types");
  if (value == nullptr) return {};
  std::vector<bool> slides;
  for (const Json& type : value->is_array() ? *value : Json::array()) {
    if (type != "sliding_attention" && type != "full_attention")
      section.fail("layer_types", "holds " + type.dump() + "; expected sliding_attention or full_attention");
    slides.push_back(type == "sliding_attention");
  }
  if (int(slides.size()) != layers)
    section.fail("layer_types", format("is no list of {} types, one a layer", layers));
  return slides;
}

// What Gemma 2 alone has.
void read_gemma2(const ConfigSection& section, TextConfig& text) {
  text.query_pre_attn_scalar = section.positive("query_pre_attn_scalar", 256.0f);
  text.sliding_layers = read_layer_types(section, text.layers);
  if (section.is_null("sliding_window") &&
      std::ranges::find(text.sliding_layers, true) != text.sliding_layers.end())
    section.fail("sliding_window", "is null, but layers slide; expected a number of tokens");
  if (section.is_null("sliding_window") && text.sliding_layers.empty())
    section.fail("sliding_window", "is null, but every other layer slides; expected a number of tokens");
  text.sliding_window = section.integer("sliding_window", 4096, 1, 1 << 24);
  // Absent is the default, null is off.
  if (!section.is_null("attn_logit_softcapping"))
    text.attention_softcap = section.positive("attn_logit_softcapping", 50.0f);
  if (!section.is_null("final_logit_softcapping"))
    text.final_softcap = section.positive("final_logit_softcapping", 30.0f);
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

bool is_json_file(const std::filesystem::path& path) {
  std::error_code error;
  return path.extension() == ".json" && std::filesystem::is_regular_file(path, error);
}

void read_ids(const ConfigSection& root, ModelConfig& config) {
  const int id = root.integer("image_token_id", 256000, 0, INT32_MAX);
  config.image_token = root.integer("image_token_index", id, 0, INT32_MAX);
  if (root.find("image_token_id") != nullptr && config.image_token != id)
    root.fail("image_token_id", "is another than image_token_index; which is <image>?");
  config.pad_token = root.integer("pad_token_id", 0, 0, INT32_MAX);
}

// Without generation_config.json: what config.json says of it, as transformers reads that.
void read_generation(const ConfigSection& root, const ConfigSection& text, ModelConfig& config) {
  root.refuse(ConfigPlace::kGeneration);
  text.refuse(ConfigPlace::kGeneration);
  // Gemma 2's names <end_of_turn>, an ordinary token here; it counts where the model itself names none.
  config.eos_tokens = read_eos(root, read_eos(text, {1}));
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
  section.refuse(ConfigPlace::kVision);
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

TextConfig read_text_config(const ConfigSection& section) {
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
  section.refuse(second ? ConfigPlace::kGemma2 : ConfigPlace::kGemma);
  text.width = section.required("hidden_size", 1, kMaxConfigWidth);
  text.mlp_width = section.required("intermediate_size", 1, kMaxConfigWidth * 8);
  text.layers = section.required("num_hidden_layers", 1, 1024);
  text.heads = section.integer("num_attention_heads", second ? 8 : 16, 1, 1024);
  text.kv_heads = section.integer("num_key_value_heads", second ? 4 : 16, 1, 1024);
  if (section.is_null("head_dim"))
    section.fail("head_dim", "is null; give the head dimension, or take the key out");
  text.head_dim = section.integer("head_dim", 256, 2, 4096);
  text.vocabulary = section.required("vocab_size", 1, 1 << 24);
  text.max_position_embeddings = section.integer("max_position_embeddings", 8192, 1, 1 << 17);
  text.rms_norm_eps = section.positive("rms_norm_eps", 1e-6f);
  read_rope(section, text);
  text.own_head = !section.boolean("tie_word_embeddings", true);
  if (text.heads % text.kv_heads != 0)
    section.fail("num_key_value_heads", "does not divide num_attention_heads");
  if (text.head_dim % 2 != 0) section.fail("head_dim", "must be even (RoPE turns pairs)");
  if (second) read_gemma2(section, text);
  return text;
}

ModelConfig read_model_config(const std::filesystem::path& folder_or_file) {
  const bool is_file = is_json_file(folder_or_file);
  if (!is_file) require_model_folder(folder_or_file);
  const auto file = is_file ? folder_or_file : folder_or_file / "config.json";
  const Json json = read_json(file, 1u << 20);
  const ConfigSection root(json, file.string());
  const std::string type = root.text("model_type", "");
  if (type == "siglip") {
    root.fail("model_type",
              "is \"siglip\": it scores texts against a picture (palisade similar --model) and answers "
              "nothing; expected paligemma");
  }
  if (type != "paligemma") root.fail("model_type", about_model_type(type));
  root.refuse(ConfigPlace::kPaliGemma);
  ModelConfig config;
  config.vision = read_vision_config(root.section("vision_config"));
  config.text = read_text_config(root.section("text_config"));
  // Stale top-level widths of released files are left aside: the parts say what they are.
  read_ids(root, config);
  if (!root.boolean("tie_word_embeddings", true)) config.text.own_head = true;
  if (root.integer("projection_dim", config.text.width, 1, kMaxConfigWidth) != config.text.width) {
    root.fail("projection_dim", format("is {}; text_config's hidden_size is {}",
                                       root.find("projection_dim")->dump(), config.text.width));
  }
  const auto generation = file.parent_path() / "generation_config.json";
  if (is_file || !std::filesystem::exists(generation)) {
    read_generation(root, root.section("text_config"), config);
    return config;
  }
  const Json generation_json = read_json(generation, 1u << 20);
  const ConfigSection settings(generation_json, generation.string());
  settings.refuse(ConfigPlace::kGeneration);
  if (settings.find("eos_token_id") == nullptr) {
    settings.fail("eos_token_id",
                  "is missing, and transformers takes no other's then: its answers would never end; "
                  "add it (1 for PaliGemma), or remove the file");
  }
  config.eos_tokens = read_eos(settings, {1});
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
  const std::uint64_t embeddings = (text.own_head ? 2 : 1) * std::uint64_t(text.vocabulary) * tw;
  const std::uint64_t language = embeddings + text.layers * (attention + 3 * tw * tm + norms) + tw;
  return vision.parameter_count() + projection + language;
}

std::string_view name_of(TextArchitecture architecture) {
  return architecture == TextArchitecture::kGemma ? "gemma" : "gemma2";
}

}  // namespace palisade
