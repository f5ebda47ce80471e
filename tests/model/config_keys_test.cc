// Goes through the table of configuration keys: refused keys are refused by name, irrelevant ones change
// nothing, and keys that are read change something.
#include "model/config/config_keys.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

#include "model/config/preprocessor.h"
#include "model/config/siglip_config.h"
#include "tests/model/folder_copy.h"

using namespace palisade;

namespace {

using enum ConfigPlace;

// The file and section of each place of the table in a golden folder.
struct Site {
  const char* folder;
  const char* file;
  std::vector<const char*> sections = {};
  bool without_generation = false;
};

const std::map<ConfigPlace, std::vector<Site>>& sites() {
  static const std::map<ConfigPlace, std::vector<Site>> all = {
      {kPaliGemma, {{"paligemma1-tiny", "config.json"}, {"paligemma2-tiny", "config.json"}}},
      {kGemma, {{"paligemma1-tiny", "config.json", {"text_config"}}}},
      {kGemma2, {{"paligemma2-tiny", "config.json", {"text_config"}}}},
      {kRope,
       {{"paligemma1-tiny", "config.json", {"text_config", "rope_parameters"}},
        {"paligemma2-tiny", "config.json", {"text_config", "rope_scaling"}}}},
      {kVision,
       {{"paligemma1-tiny", "config.json", {"vision_config"}},
        {"siglip-tiny", "config.json", {"vision_config"}}}},
      {kSiglip, {{"siglip-tiny", "config.json"}}},
      {kSiglipText, {{"siglip-tiny", "config.json", {"text_config"}}}},
      {kGeneration,
       {{"paligemma1-tiny", "generation_config.json"},
        {"paligemma1-tiny", "config.json", {}, true},
        {"paligemma2-tiny", "config.json", {"text_config"}, true}}},
      {kPicture,
       {{"paligemma1-tiny", "preprocessor_config.json"},
        {"paligemma2-tiny", "processor_config.json", {"image_processor"}}}},
      {kProcessor, {{"paligemma1-tiny", "processor_config.json"}}}};
  return all;
}

// Everything that is derived from a folder's configuration.
struct Reading {
  ModelConfig model;
  Preprocessor pictures;
  bool operator==(const Reading&) const = default;
};

Reading read(const std::filesystem::path& folder, bool siglip) {
  Reading reading;
  if (siglip) {
    const SiglipConfig config = read_siglip_config(folder);
    reading.model.vision = config.vision;
    reading.model.text.width = config.text.width;
    reading.model.text.mlp_width = config.text.mlp_width;
    reading.model.text.layers = config.text.layers;
    reading.model.text.heads = config.text.heads;
    reading.model.text.vocabulary = config.text.vocabulary;
    reading.model.text.max_position_embeddings = config.text.positions;
    reading.model.text.rms_norm_eps = config.text.layer_norm_eps;
    reading.pictures = read_preprocessor(folder, config.vision.image_size);
  } else {
    reading.model = read_model_config(folder);
    reading.pictures =
        read_preprocessor(folder, reading.model.vision.image_size, reading.model.image_tokens());
  }
  return reading;
}

// A golden folder with one key changed, or unchanged if `value` is null.
class ChangedFolder {
 public:
  explicit ChangedFolder(const Site& site) : site_(site), folder_(kModels / site.folder) {
    if (site.without_generation) std::filesystem::remove(folder_.path / "generation_config.json");
    // Adds a section that the golden folder lacks, with its default values.
    if (!site.sections.empty() && std::string_view(site.sections.back()) == "image_processor") {
      Json pictures = read_json(kModels / site.folder / "preprocessor_config.json");
      folder_.change_json(site.file, [&](Json& json) { json["image_processor"] = pictures; });
    }
    if (!site.sections.empty() && std::string_view(site.sections.back()).starts_with("rope")) {
      folder_.change_json(site.file, [&](Json& json) {
        json["text_config"][site.sections.back()] = {{"rope_type", "default"}, {"rope_theta", 10000.0}};
      });
    }
    if (!std::filesystem::exists(folder_.path / site.file))
      folder_.change_json(site.file, [](Json& json) { json = Json::object(); });
    original_ = read_json(folder_.path / site.file);
  }

  void set(const std::string& key, const Json& value) { put({{key, value}}); }
  void put(const std::map<std::string, Json>& values) {
    folder_.change_json(site_.file, [&](Json& json) {
      json = original_;
      Json* section = &json;
      for (const char* name : site_.sections) section = &(*section)[name];
      for (const auto& [key, value] : values) (*section)[key] = value;
    });
  }
  Reading reading() const { return read(folder_.path, is_siglip()); }
  std::string refusal() const {
    try {
      reading();
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
  const std::filesystem::path& path() const { return folder_.path; }

 private:
  bool is_siglip() const { return std::string_view(site_.folder).starts_with("siglip"); }
  Site site_;
  FolderCopy folder_;
  Json original_;
};

const std::vector<Json>& some_values() {
  static const std::vector<Json> values = {true,       false, 7, 0.5, "something", Json::array({7}),
                                           {{"a", 1}}, "",    0};
  return values;
}

std::vector<ConfigKey> keys_of(ConfigPlace place, KeyRule rule) {
  std::vector<ConfigKey> keys;
  std::ranges::copy_if(config_keys(), std::back_inserter(keys),
                       [&](const ConfigKey& key) { return key.place == place && key.rule == rule; });
  return keys;
}

// A change of each key that is read, together with the changes that it requires.
using Values = std::map<std::string, Json>;
const std::map<ConfigPlace, std::map<std::string, Values>>& read_changes() {
  static const std::map<std::string, Values> text = {
      {"model_type", {{"model_type", "llama"}}},
      {"hidden_size", {{"hidden_size", 128}}},
      {"intermediate_size", {{"intermediate_size", 64}}},
      {"num_hidden_layers", {{"num_hidden_layers", 2}}},
      {"num_attention_heads", {{"num_attention_heads", 8}}},
      {"head_dim", {{"head_dim", 32}}},
      {"num_key_value_heads", {{"num_key_value_heads", 4}}},
      {"vocab_size", {{"vocab_size", 4096}}},
      {"max_position_embeddings", {{"max_position_embeddings", 100}}},
      {"rms_norm_eps", {{"rms_norm_eps", 1e-3}}},
      {"rope_theta", {{"rope_theta", 5.0}}},
      {"rope_scaling", {{"rope_scaling", {{"type", "linear"}, {"factor", 2.0}}}}},
      {"rope_parameters", {{"rope_parameters", {{"rope_theta", 5.0}}}}},
      {"tie_word_embeddings", {{"tie_word_embeddings", false}}},
      {"query_pre_attn_scalar", {{"query_pre_attn_scalar", 7}}},
      {"sliding_window", {{"sliding_window", 7}}},
      {"layer_types",
       {{"layer_types", {"full_attention", "full_attention", "full_attention", "sliding_attention"}}}},
      {"attn_logit_softcapping", {{"attn_logit_softcapping", nullptr}}},
      {"final_logit_softcapping", {{"final_logit_softcapping", 7}}}};
  static const std::map<ConfigPlace, std::map<std::string, Values>> all = {
      {kPaliGemma,
       {{"model_type", {{"model_type", "llava"}}},
        {"vision_config", {{"vision_config", Json::object()}}},
        {"text_config", {{"text_config", Json::object()}}},
        {"image_token_index", {{"image_token_index", 7}}},
        {"image_token_id", {{"image_token_index", nullptr}, {"image_token_id", 7}}},
        {"tie_word_embeddings", {{"tie_word_embeddings", false}}},
        {"projection_dim", {{"projection_dim", 7}}}}},
      {kGemma, text},
      {kGemma2, text},
      {kRope,
       {{"rope_theta", {{"rope_theta", 5.0}}},
        {"rope_type", {{"rope_type", "yarn"}}},
        {"type", {{"rope_type", nullptr}, {"type", "yarn"}}},
        {"factor", {{"rope_type", "linear"}, {"factor", 2.0}}}}},
      {kVision,
       {{"model_type", {{"model_type", "clip_vision_model"}}},
        {"hidden_size", {{"hidden_size", 64}}},
        {"intermediate_size", {{"intermediate_size", 64}}},
        {"num_hidden_layers", {{"num_hidden_layers", 1}}},
        {"num_attention_heads", {{"num_attention_heads", 1}}},
        {"num_channels", {{"num_channels", 1}}},
        {"image_size", {{"image_size", 112}}},
        {"patch_size", {{"patch_size", 28}}},
        {"layer_norm_eps", {{"layer_norm_eps", 1e-3}}}}},
      {kSiglip,
       {{"model_type", {{"model_type", "siglip2"}}},
        {"vision_config", {{"vision_config", Json::object()}}},
        {"text_config", {{"text_config", Json::object()}}}}},
      {kSiglipText,
       {{"model_type", {{"model_type", "clip_text_model"}}},
        {"hidden_size", {{"hidden_size", 64}}},
        {"intermediate_size", {{"intermediate_size", 32}}},
        {"num_hidden_layers", {{"num_hidden_layers", 1}}},
        {"num_attention_heads", {{"num_attention_heads", 1}}},
        {"vocab_size", {{"vocab_size", 512}}},
        {"max_position_embeddings", {{"max_position_embeddings", 8}}},
        {"projection_size", {{"projection_size", 64}}},
        {"layer_norm_eps", {{"layer_norm_eps", 1e-3}}}}},
      {kGeneration, {{"eos_token_id", {{"eos_token_id", 7}}}}},
      {kPicture,
       {{"size", {{"size", 7}}},
        {"resample", {{"resample", 2}}},
        {"do_rescale", {{"do_rescale", false}}},
        {"rescale_factor", {{"rescale_factor", 0.01}}},
        {"do_normalize", {{"do_normalize", false}}},
        {"image_mean", {{"image_mean", 0.2}}},
        {"image_std", {{"image_std", {0.2, 0.4, 0.6}}}},
        {"image_seq_length", {{"image_seq_length", 7}}}}},
      {kProcessor, {{"image_processor", {{"image_processor", {{"resample", 2}}}}}}}};
  return all;
}

// This key is read only if neither generation_config.json nor config.json has it, so it has a test case of
// its own.
bool is_fallback(const ConfigKey& key, const Site& site) {
  return key.name == "eos_token_id" && (key.place != kGeneration || !site.sections.empty());
}

// Only for SigLIP, which needs the pooling head that PaliGemma lacks.
bool is_read_by_siglip(const ConfigKey& key, const Site& site) {
  return key.name == "vision_use_head" && std::string_view(site.folder) == "siglip-tiny";
}

}  // namespace

TEST_CASE("every key of the table stands in it once") {
  std::set<std::pair<ConfigPlace, std::string_view>> seen;
  for (const ConfigKey& key : config_keys())
    CHECK_MESSAGE(seen.insert({key.place, key.name}).second, key.name);
  CHECK(seen.size() > 300);
}

TEST_CASE("each refused key is refused by its name and file unless its value is harmless") {
  for (const auto& [place, places] : sites()) {
    for (const Site& site : places) {
      ChangedFolder folder(site);
      const Reading before = folder.reading();
      for (const ConfigKey& key : keys_of(place, KeyRule::kRefused)) {
        CAPTURE(key.name);
        const Json harmless = Json::parse(key.harmless);
        for (const Json& value : some_values()) {
          folder.set(std::string(key.name), value);
          const std::string refusal = folder.refusal();
          if (std::ranges::find(harmless, value) != harmless.end()) {
            CHECK(refusal.empty());
          } else {
            CHECK(refusal.find("\"" + std::string(key.name) + "\" is ") != std::string::npos);
            CHECK(refusal.find(site.file) != std::string::npos);
            CHECK(refusal.find("; ") != std::string::npos);
          }
        }
        for (const Json& value : harmless) {
          folder.set(std::string(key.name), value);
          CHECK(folder.reading() == before);
        }
        folder.set(std::string(key.name), nullptr);
        CHECK(folder.reading() == before);
      }
    }
  }
}

TEST_CASE("no irrelevant key changes anything, nor does one that nobody knows") {
  for (const auto& [place, places] : sites()) {
    for (const Site& site : places) {
      ChangedFolder folder(site);
      const Reading before = folder.reading();
      auto keys = keys_of(place, KeyRule::kIrrelevant);
      keys.push_back({.place = place, .name = "key_of_a_later_version"});
      for (const ConfigKey& key : keys) {
        if (is_read_by_siglip(key, site)) continue;
        // pad_token_id is stored for callers that prepare batches; answers do not depend on it.
        const bool is_id = key.name == "pad_token_id";
        for (const Json& value : is_id ? std::vector<Json>{0} : some_values()) {
          if (place == kGeneration && site.without_generation && !value.is_boolean()) continue;
          folder.set(std::string(key.name), value);
          CAPTURE(key.name);
          CHECK(folder.refusal() == "");
          CHECK(folder.reading() == before);
        }
      }
    }
  }
}

TEST_CASE("each key that is read changes what a model is, or is refused by its name") {
  for (const auto& [place, places] : sites()) {
    for (const Site& site : places) {
      ChangedFolder folder(site);
      const Reading before = folder.reading();
      for (const ConfigKey& key : keys_of(place, KeyRule::kRead)) {
        if (is_fallback(key, site)) continue;
        CAPTURE(key.name);
        CAPTURE(site.folder);
        const auto& changes = read_changes().at(place);
        REQUIRE(changes.contains(std::string(key.name)));
        folder.put(changes.at(std::string(key.name)));
        const std::string refusal = folder.refusal();
        if (refusal.empty()) {
          CHECK_FALSE(folder.reading() == before);
        } else {
          CHECK(refusal.find('"') != std::string::npos);
        }
      }
    }
  }
}

TEST_CASE(
    "answers end at generation_config's token, or at config.json's where there is none, or at the text "
    "part's") {
  const FolderCopy folder(kModels / "paligemma1-tiny");
  const auto ends = [&] { return read_model_config(folder.path).eos_tokens; };
  folder.change_json("config.json", [](Json& json) { json["text_config"]["eos_token_id"] = {5, 6}; });
  folder.change_json("generation_config.json", [](Json& json) { json["eos_token_id"] = {3, 4}; });
  CHECK(ends() == std::vector<TokenId>{3, 4});
  std::filesystem::remove(folder.path / "generation_config.json");
  CHECK(ends() == std::vector<TokenId>{1});
  folder.change_json("config.json", [](Json& json) { json.erase("eos_token_id"); });
  CHECK(ends() == std::vector<TokenId>{5, 6});
}

TEST_CASE("keys that nobody knows are told, with file and section") {
  const FolderCopy folder(kModels / "paligemma1-tiny");
  CHECK(unknown_keys(folder.path).empty());
  folder.change_json("config.json", [](Json& json) { json["text_config"]["rope_tehta"] = 5.0; });
  folder.change_json("preprocessor_config.json", [](Json& json) { json["resampel"] = 2; });
  CHECK(unknown_keys(folder.path) == std::vector<std::string>{"config.json: text_config: rope_tehta",
                                                              "preprocessor_config.json: resampel"});
}
