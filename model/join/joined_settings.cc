#include "model/join/joined_settings.h"

#include <initializer_list>

#include "base/format.h"
#include "base/whole_file.h"
#include "model/error.h"
#include "model/text/extended_vocabulary.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

constexpr int kRowMultiple = 64;
constexpr TokenId kPad = 0, kEos = 1, kBos = 2;
constexpr char kTanhGelu[] = "gelu_pytorch_tanh";
// The first that knew PaliGemma, as the released folders have it.
constexpr char kTransformers[] = "4.41.0.dev0";

void write_json(const fs::path& file, const Json& json) {
  write_whole_file(file, json.dump(2) + "\n");
}

// Removes keys that describe the folder a part came from, and keys that transformers sets itself for a
// PaliGemma, such as whether the prefix is seen whole.
void drop_own_keys(Json& section) {
  for (const char* const key :
       {"architectures", "torch_dtype", "dtype", "transformers_version", "_name_or_path", "name_or_path",
        "_commit_hash", "auto_map", "attn_implementation", "_attn_implementation",
        "_attn_implementation_autoset", "_attn_implementation_internal", "tie_word_embeddings",
        "cache_implementation", "use_bidirectional_attention", "quantization_config"})
    section.erase(key);
}

Json text_section(const GemmaFolder& gemma, const ModelConfig& config) {
  Json text = gemma.stated();
  drop_own_keys(text);
  // transformers takes Gemma 1's hidden_act at its word, which early files had as "gelu"; Gemma was trained
  // with the other.
  text["hidden_act"] = kTanhGelu;
  if (config.text.architecture == TextArchitecture::kGemma2) {
    text["hidden_activation"] = kTanhGelu;
  } else if (text.contains("hidden_activation") && text["hidden_activation"].is_null()) {
    text.erase("hidden_activation");
  }
  // What version 5 of transformers writes, in the words of version 4 as well.
  if (text.contains("rope_parameters") && !text.contains("rope_theta"))
    text["rope_theta"] = config.text.rope_theta;
  text["vocab_size"] = config.text.vocabulary;
  text["num_image_tokens"] = config.image_tokens();
  return text;
}

Json vision_section(const ImageTowerFolder& tower, const ModelConfig& config) {
  const VisionConfig& vision = config.vision;
  Json section = tower.stated();
  drop_own_keys(section);
  section["model_type"] = "siglip_vision_model";
  section["hidden_size"] = vision.width;
  section["intermediate_size"] = vision.mlp_width;
  section["num_hidden_layers"] = vision.layers;
  section["num_attention_heads"] = vision.heads;
  section["image_size"] = vision.image_size;
  section["patch_size"] = vision.patch_size;
  section["projection_dim"] = config.text.width;
  section["num_image_tokens"] = config.image_tokens();
  section["vision_use_head"] = false;
  return section;
}

Json whole_config(const ImageTowerFolder& tower, const GemmaFolder& gemma, const ModelConfig& config) {
  return {{"architectures", Json::array({"PaliGemmaForConditionalGeneration"})},
          {"model_type", "paligemma"},
          {"bos_token_id", kBos},
          {"eos_token_id", kEos},
          {"pad_token_id", kPad},
          {"hidden_size", config.text.width},
          {"projection_dim", config.text.width},
          {"ignore_index", -100},
          {"image_token_index", config.image_token},
          {"torch_dtype", "float32"},
          {"transformers_version", kTransformers},
          {"text_config", text_section(gemma, config)},
          {"vision_config", vision_section(tower, config)}};
}

Json picture_settings(const ImageTowerFolder& tower, const ModelConfig& config) {
  Json pictures = tower.pictures();
  if (!pictures.contains("image_processor_type")) pictures["image_processor_type"] = "SiglipImageProcessor";
  pictures["image_seq_length"] = config.image_tokens();
  pictures["processor_class"] = "PaliGemmaProcessor";
  return pictures;
}

Json named_tokens() {
  const auto token = [](std::string_view text) {
    return Json{{"content", text},
                {"lstrip", false},
                {"normalized", false},
                {"rstrip", false},
                {"single_word", false}};
  };
  return {{"additional_special_tokens", Json::array({token(kImageTokenText)})},
          {"bos_token", token("<bos>")},
          {"eos_token", token("<eos>")},
          {"pad_token", token("<pad>")},
          {"unk_token", token("<unk>")}};
}

// Where a Gemma has none.
Json gemma_tokenizer_config() {
  return {{"tokenizer_class", "GemmaTokenizer"},
          {"bos_token", "<bos>"},
          {"eos_token", "<eos>"},
          {"pad_token", "<pad>"},
          {"unk_token", "<unk>"},
          {"clean_up_tokenization_spaces", false},
          {"spaces_between_special_tokens", false}};
}

}  // namespace

ModelConfig joined_config(const ImageTowerFolder& tower, const GemmaFolder& gemma) {
  ModelConfig config;
  config.vision = tower.config();
  config.text = gemma.config();
  config.text.own_head = false;
  config.image_token = gemma.pieces() + TokenId(location_and_segment_tokens().size());
  config.text.vocabulary = (config.image_token + 2 + kRowMultiple - 1) / kRowMultiple * kRowMultiple;
  config.pad_token = kPad;
  config.bos_token = kBos;
  config.eos_tokens = {kEos};
  if (config.image_tokens() >= config.text.max_position_embeddings)
    throw ModelError(
        format("a picture of {} x {} is {} tokens, and Gemma's max_position_embeddings are {}; take a SigLIP "
               "of a lower resolution or of larger patches",
               config.vision.image_size, config.vision.image_size, config.image_tokens(),
               config.text.max_position_embeddings));
  return config;
}

void write_joined_settings(const ImageTowerFolder& tower, const GemmaFolder& gemma,
                           const fs::path& gemma_folder, const ModelConfig& config, const fs::path& folder) {
  write_json(folder / "config.json", whole_config(tower, gemma, config));
  write_json(folder / "generation_config.json", {{"_from_model_config", true},
                                                 {"bos_token_id", kBos},
                                                 {"eos_token_id", kEos},
                                                 {"pad_token_id", kPad},
                                                 {"transformers_version", kTransformers}});
  write_json(folder / "preprocessor_config.json", picture_settings(tower, config));
  write_json(folder / "special_tokens_map.json", named_tokens());
  write_json(folder / "added_tokens.json", {{std::string(kImageTokenText), config.image_token}});
  const std::vector<std::string> texts = location_and_segment_tokens();
  write_whole_file(folder / "tokenizer.model",
                   with_pieces(gemma.tokenizer(), texts, (gemma_folder / "tokenizer.model").string()));
  const TokenId first = gemma.pieces();
  // As one line, like all that write it.
  if (const fs::path file = gemma_folder / "tokenizer.json"; fs::exists(file))
    write_whole_file(folder / "tokenizer.json", with_added_tokens(read_json(file), texts, first).dump());
  const fs::path file = gemma_folder / "tokenizer_config.json";
  write_json(
      folder / "tokenizer_config.json",
      with_decoded_tokens(fs::exists(file) ? read_json(file) : gemma_tokenizer_config(), texts, first));
}

}  // namespace palisade
