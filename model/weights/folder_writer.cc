#include "model/weights/folder_writer.h"

#include <string>

#include "base/json.h"
#include "base/whole_file.h"
#include "model/error.h"
#include "model/weights/calibration.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

void set_if_there(Json& object, const char* key, const Json& value) {
  if (object.contains(key)) object[key] = value;
}

Json changed_config(const fs::path& file, const ModelConfig& config, DataType type) {
  const char* const name = type == DataType::kBf16 ? "bfloat16" : "float32";
  Json json = read_json(file);
  Json& vision = json["vision_config"];
  vision["image_size"] = config.vision.image_size;
  for (Json* section : {&json, &vision, &json["text_config"]}) {
    set_if_there(*section, "torch_dtype", name);
    set_if_there(*section, "dtype", name);
    set_if_there(*section, "num_image_tokens", config.image_tokens());
    set_if_there(*section, "tie_word_embeddings", !config.text.own_head);
  }
  if (config.text.own_head) json["tie_word_embeddings"] = false;
  return json;
}

void change_pictures(Json& json, const ModelConfig& config) {
  const int size = config.vision.image_size;
  if (json.contains("size")) json["size"] = {{"height", size}, {"width", size}};
  set_if_there(json, "image_seq_length", config.image_tokens());
}

// preprocessor_config.json, or processor_config.json, which may hold the same in a section.
Json changed_preprocessor(const fs::path& file, const ModelConfig& config) {
  Json json = read_json(file);
  change_pictures(json, config);
  if (json.contains("image_processor") && json["image_processor"].is_object())
    change_pictures(json["image_processor"], config);
  return json;
}

constexpr char kIdentity[] = "palisade.json";

// What is of the source alone; a calibration belongs to its weights.
bool is_left(const std::string& name) {
  if (name == "README.md" || name == kIdentity || name == kCalibrationFile) return true;
  return name.find(".safetensors") != std::string::npos || name.ends_with(".bin") || name.ends_with(".pt");
}

}  // namespace

void write_whole_folder(const fs::path& target, const std::function<void(const fs::path& folder)>& fill) {
  if (fs::exists(target)) throw ModelError(target.string() + ": is there already");
  const fs::path partial = target.string() + ".partial";
  try {
    fs::remove_all(partial);
    fs::create_directories(partial);
    fill(partial);
    fs::rename(partial, target);
    sync_folder(target.parent_path());
  } catch (const fs::filesystem_error& error) {
    std::error_code ignored;
    fs::remove_all(partial, ignored);
    throw ModelError(target.string() + ": cannot be written: " + error.code().message());
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(partial, ignored);
    throw;
  }
}

void write_identity(const fs::path& folder, const std::string& id) {
  write_whole_file(folder / kIdentity, Json{{"id", id}}.dump(2) + "\n");
}

void write_model_folder(const fs::path& source, const fs::path& target, const std::string& id,
                        const ModelConfig& config, DataType type,
                        const std::function<void(const fs::path& file)>& write_weights) {
  write_whole_folder(target, [&](const fs::path& folder) {
    for (const auto& entry : fs::directory_iterator(source)) {
      const fs::path& file = entry.path();
      const std::string name = file.filename().string();
      if (!entry.is_regular_file() || is_left(name)) continue;
      if (name == "config.json") {
        write_whole_file(folder / name, changed_config(file, config, type).dump(2) + "\n");
      } else if (name == "preprocessor_config.json" || name == "processor_config.json") {
        write_whole_file(folder / name, changed_preprocessor(file, config).dump(2) + "\n");
      } else {
        fs::copy_file(file, folder / name);
      }
    }
    write_identity(folder, id);
    write_weights(folder / "model.safetensors");
  });
}

}  // namespace palisade
