#include "model/join/image_tower_folder.h"

#include "base/format.h"
#include "model/config/config_section.h"
#include "model/config/likely_cause.h"
#include "model/config/model_families.h"
#include "model/config/preprocessor.h"
#include "model/error.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

constexpr char kTower[] = "vision_model.", kPatches[] = "embeddings.patch_embedding.weight";
constexpr char kWanted[] =
    "; --vision takes a SigLIP of fixed resolution (model_type siglip or siglip_vision_model), such as "
    "google/siglip-so400m-patch14-224 or google/siglip2-base-patch16-224";

const fs::path& checked_folder(const fs::path& folder) {
  require_model_folder(folder);
  return folder;
}

// A part that config.json leaves out is all defaults.
Json read_tower_config(const fs::path& folder) {
  const fs::path file = folder / "config.json";
  Json json = read_json(file, 1u << 20);
  const ConfigSection root(json, file.string());
  const std::string type = root.text("model_type", "");
  if (type == "siglip_vision_model") return json;
  if (type == "paligemma")
    root.fail("model_type", std::string("is \"paligemma\", whose tower is joined already") + kWanted);
  if (type != "siglip") root.fail("model_type", about_family(type) + kWanted);
  root.refuse(ConfigPlace::kSiglip);
  return root.find("vision_config") == nullptr ? Json::object() : json["vision_config"];
}

Json picture_settings_of(const fs::path& folder, int image_size) {
  for (const char* const name : {"processor_config.json", "preprocessor_config.json"}) {
    if (!fs::exists(folder / name)) continue;
    Json json = read_json(folder / name, 1u << 20);
    if (name == std::string_view("preprocessor_config.json")) return json;
    if (json.contains("image_processor") && json["image_processor"].is_object())
      return json["image_processor"];
  }
  return {{"do_convert_rgb", nullptr},
          {"do_normalize", true},
          {"do_rescale", true},
          {"do_resize", true},
          {"image_mean", {0.5, 0.5, 0.5}},
          {"image_std", {0.5, 0.5, 0.5}},
          {"resample", 3},
          {"rescale_factor", 1.0 / 255.0},
          {"size", {{"height", image_size}, {"width", image_size}}}};
}

}  // namespace

ImageTowerFolder::ImageTowerFolder(const fs::path& folder)
    : folder_(checked_folder(folder)),
      stated_(read_tower_config(folder)),
      config_(read_vision_config(ConfigSection(stated_, (folder / "config.json").string()))),
      pictures_(picture_settings_of(folder, config_.image_size)),
      weights_(folder) {
  find_tower();
  require_positions();
  read_preprocessor(folder, config_.image_size);
}

bool ImageTowerFolder::leaves_out(const std::string& stored) const {
  return stored.starts_with("text_model.") || stored.starts_with(prefix_ + "head.") ||
         stored == "logit_scale" || stored == "logit_bias" || stored.ends_with(".position_ids");
}

void ImageTowerFolder::find_tower() {
  bool any = false;
  weights_.require_only([&](const std::string& name) {
    any = any || name.starts_with(kTower);
    return true;
  });
  prefix_ = any ? kTower : "";
  if (!any && !weights_.has(kPatches))
    throw ModelError(folder_.string() +
                     ": holds no vision_model.* tensors, so no image tower; bring the whole SigLIP, or its "
                     "SiglipVisionModel");
}

void ImageTowerFolder::require_positions() const {
  const auto positions = weights_.stored_shape(stored_name("embeddings.position_embedding.weight"));
  if (positions.size() == 2 && positions[0] != config_.tokens())
    throw ModelError(format(
        "{}: the position_embedding has {} rows, but config.json's image_size {} and patch_size {} make "
        "{} patches, each with a position; bring the config.json that belongs to these weights",
        folder_.string(), positions[0], config_.image_size, config_.patch_size, config_.tokens()));
}

}  // namespace palisade
