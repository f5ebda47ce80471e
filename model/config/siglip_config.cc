#include "model/config/siglip_config.h"

#include "base/format.h"
#include "base/json.h"
#include "model/config/config_section.h"
#include "model/config/likely_cause.h"
#include "model/config/model_families.h"

namespace palisade {
namespace {

std::filesystem::path config_file(const std::filesystem::path& folder_or_file) {
  return std::filesystem::is_directory(folder_or_file) ? folder_or_file / "config.json" : folder_or_file;
}

SiglipTextConfig read_siglip_text(const ConfigSection& section) {
  const std::string type = section.text("model_type", "siglip_text_model");
  if (type != "siglip_text_model")
    section.fail("model_type", "is \"" + type + "\"; expected siglip_text_model");
  section.refuse(ConfigPlace::kSiglipText);
  SiglipTextConfig text;
  text.width = section.integer("hidden_size", text.width, 1, kMaxConfigWidth);
  text.mlp_width = section.integer("intermediate_size", text.mlp_width, 1, kMaxConfigWidth);
  text.layers = section.integer("num_hidden_layers", text.layers, 1, 1024);
  text.heads = section.integer("num_attention_heads", text.heads, 1, 1024);
  text.vocabulary = section.integer("vocab_size", text.vocabulary, 1, 1 << 24);
  text.positions = section.integer("max_position_embeddings", text.positions, 1, 1 << 13);
  text.projection = section.integer("projection_size", text.width, 1, kMaxConfigWidth);
  text.layer_norm_eps = section.positive("layer_norm_eps", text.layer_norm_eps);
  if (text.width % text.heads != 0) section.fail("num_attention_heads", "does not divide hidden_size");
  return text;
}

}  // namespace

bool is_siglip(const std::filesystem::path& folder_or_file) {
  const auto file = config_file(folder_or_file);
  if (!std::filesystem::exists(file)) return false;
  if (file != folder_or_file) require_model_folder(folder_or_file);
  const Json json = read_json(file, 1u << 20);
  const auto type = json.is_object() ? json.find("model_type") : json.end();
  return json.is_object() && type != json.end() && *type == "siglip";
}

SiglipConfig read_siglip_config(const std::filesystem::path& folder_or_file) {
  if (!std::filesystem::is_regular_file(folder_or_file)) require_model_folder(folder_or_file);
  const auto file = config_file(folder_or_file);
  const Json json = read_json(file, 1u << 20);
  const ConfigSection root(json, file.string());
  const std::string type = root.text("model_type", "");
  if (type != "siglip") {
    root.fail("model_type", type == "paligemma"
                                ? "is \"paligemma\"; expected siglip, whose two towers score texts against a "
                                  "picture (google/siglip-base-patch16-224 is one)"
                                : about_model_type(type));
  }
  root.refuse(ConfigPlace::kSiglip);
  // A part that is left out is all defaults.
  const Json none = Json::object();
  const auto part = [&](const char* key) {
    return root.find(key) ? root.section(key) : ConfigSection(none, file.string() + ": " + key);
  };
  SiglipConfig config;
  const ConfigSection vision = part("vision_config"), text = part("text_config");
  config.vision = read_vision_config(vision);
  config.text = read_siglip_text(text);
  if (!vision.boolean("vision_use_head", true))
    vision.fail("vision_use_head", "is false; scores need the pooling head");
  if (config.text.projection != config.vision.width) {
    text.fail("projection_size", format("is {}; the image tower's hidden_size is {}", config.text.projection,
                                        config.vision.width));
  }
  return config;
}

std::uint64_t SiglipConfig::parameter_count() const {
  const auto layer = [](std::uint64_t width, std::uint64_t mlp) {
    return 4 * (width * width + width) + (2 * width * mlp + mlp + width) + 4 * width;
  };
  const std::uint64_t w = vision.width, t = text.width;
  // The pooling head is a layer with one norm, a probe and no more.
  const std::uint64_t head = layer(w, vision.mlp_width) - 2 * w + w;
  const std::uint64_t texts = (std::uint64_t(text.vocabulary) + text.positions) * t +
                              text.layers * layer(t, text.mlp_width) + 2 * t + t * text.projection +
                              text.projection;
  return vision.parameter_count() + head + texts + 2;
}

}  // namespace palisade
