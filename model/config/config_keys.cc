#include "model/config/config_keys.h"

#include <algorithm>
#include <set>

#include "model/error.h"

namespace palisade {
namespace {

using enum ConfigPlace;

struct KeyNames {
  ConfigPlace place;
  std::string_view names;  // with a space between them
};

constexpr KeyNames kReadKeys[] = {
    {kPaliGemma, "model_type vision_config text_config image_token_index image_token_id tie_word_embeddings"},
    {kPaliGemma, "eos_token_id projection_dim"},
    {kGemma, "model_type hidden_size intermediate_size num_hidden_layers num_attention_heads head_dim"},
    {kGemma, "num_key_value_heads vocab_size max_position_embeddings rms_norm_eps rope_theta rope_scaling"},
    {kGemma, "rope_parameters tie_word_embeddings eos_token_id"},
    {kGemma2, "model_type hidden_size intermediate_size num_hidden_layers num_attention_heads head_dim"},
    {kGemma2, "num_key_value_heads vocab_size max_position_embeddings rms_norm_eps rope_theta rope_scaling"},
    {kGemma2, "rope_parameters tie_word_embeddings eos_token_id query_pre_attn_scalar sliding_window"},
    {kGemma2, "layer_types attn_logit_softcapping final_logit_softcapping"},
    {kRope, "rope_theta rope_type type factor"},
    {kVision, "model_type hidden_size intermediate_size num_hidden_layers num_attention_heads num_channels"},
    {kVision, "image_size patch_size layer_norm_eps"},
    {kSiglip, "model_type vision_config text_config"},
    {kSiglipText,
     "model_type hidden_size intermediate_size num_hidden_layers num_attention_heads vocab_size"},
    {kSiglipText, "max_position_embeddings projection_size layer_norm_eps"},
    {kGeneration, "eos_token_id"},
    {kPicture, "size resample do_rescale rescale_factor do_normalize image_mean image_std image_seq_length"},
    {kProcessor, "image_processor"}};

// Of training, of other programs, of what transformers computes anew, or of how and not what is computed.
// bos_token_id: the tokenizer's <bos> counts; hidden_size and vocab_size of config.json are stale in released
// files; num_image_tokens and vision_config's projection_dim follow from others; Gemma 1 has no caps.
constexpr KeyNames kIrrelevantKeys[] = {
    {kPaliGemma,
     "architectures name_or_path _name_or_path transformers_version torch_dtype dtype hidden_size"},
    {kPaliGemma, "vocab_size _vocab_size ignore_index pad_token_id bos_token_id num_hidden_layers"},
    {kPaliGemma, "num_image_tokens is_encoder_decoder is_decoder use_cache return_dict output_hidden_states"},
    {kPaliGemma, "output_attentions torchscript use_bfloat16 problem_type id2label label2id num_labels"},
    {kPaliGemma, "finetuning_task prefix tokenizer_class task_specific_params chunk_size_feed_forward"},
    {kPaliGemma, "tf_legacy_loss cross_attention_hidden_size add_cross_attention tie_encoder_decoder"},
    {kPaliGemma, "decoder_start_token_id sep_token_id cls_token_id attn_implementation _attn_implementation"},
    {kPaliGemma,
     "_attn_implementation_autoset _commit_hash auto_map initializer_range gradient_checkpointing"},
    {kPaliGemma, "_attn_implementation_internal _experts_implementation_internal experts_implementation"},
    {kPaliGemma, "unsloth_fixed unsloth_version projector_hidden_act model_name"},
    {kGemma,
     "architectures name_or_path _name_or_path transformers_version torch_dtype dtype num_image_tokens"},
    {kGemma, "attention_dropout initializer_range use_cache pad_token_id bos_token_id is_encoder_decoder"},
    {kGemma, "is_decoder return_dict output_hidden_states output_attentions torchscript use_bfloat16"},
    {kGemma, "problem_type id2label label2id num_labels finetuning_task prefix tokenizer_class"},
    {kGemma, "task_specific_params chunk_size_feed_forward tf_legacy_loss cross_attention_hidden_size"},
    {kGemma, "add_cross_attention tie_encoder_decoder decoder_start_token_id sep_token_id cls_token_id"},
    {kGemma, "attn_implementation _attn_implementation _attn_implementation_autoset _commit_hash"},
    {kGemma, "_attn_implementation_internal cache_implementation use_bidirectional_attention"},
    {kGemma, "original_max_position_embeddings ignore_index"},
    {kRope, "original_max_position_embeddings"},
    {kVision,
     "architectures name_or_path _name_or_path transformers_version torch_dtype dtype num_image_tokens"},
    {kVision, "attention_dropout projection_dim projector_hidden_act initializer_range initializer_factor"},
    {kVision, "vocab_size is_encoder_decoder is_decoder return_dict output_hidden_states output_attentions"},
    {kVision, "torchscript use_bfloat16 problem_type id2label label2id num_labels finetuning_task prefix"},
    {kVision, "tokenizer_class task_specific_params chunk_size_feed_forward tf_legacy_loss use_cache"},
    {kVision, "cross_attention_hidden_size add_cross_attention tie_encoder_decoder decoder_start_token_id"},
    {kVision, "sep_token_id cls_token_id pad_token_id bos_token_id eos_token_id tie_word_embeddings"},
    {kVision, "attn_implementation _attn_implementation _attn_implementation_autoset _commit_hash"},
    {kVision, "_attn_implementation_internal vision_use_head"},
    {kSiglip, "architectures name_or_path _name_or_path transformers_version torch_dtype dtype _commit_hash"},
    {kSiglip, "initializer_factor return_dict output_hidden_states output_attentions is_encoder_decoder"},
    {kSiglip, "id2label label2id problem_type chunk_size_feed_forward tie_word_embeddings"},
    {kSiglip, "pad_token_id bos_token_id eos_token_id auto_map"},
    {kSiglipText, "architectures name_or_path _name_or_path transformers_version torch_dtype dtype"},
    {kSiglipText, "attention_dropout initializer_range pad_token_id bos_token_id eos_token_id return_dict"},
    {kSiglipText, "output_hidden_states output_attentions is_encoder_decoder id2label label2id problem_type"},
    {kSiglipText, "chunk_size_feed_forward tie_word_embeddings"},
    // The question says how long an answer may be; draws come with --temperature alone, beams with --beams.
    {kGeneration, "max_length max_new_tokens temperature top_k top_p min_p top_h typical_p epsilon_cutoff"},
    {kGeneration, "eta_cutoff length_penalty early_stopping renormalize_logits remove_invalid_values"},
    {kGeneration, "pad_token_id bos_token_id decoder_start_token_id use_cache cache_implementation"},
    {kGeneration, "cache_config max_cache_len return_legacy_cache output_attentions output_hidden_states"},
    {kGeneration, "output_scores output_logits return_dict_in_generate is_assistant num_assistant_tokens"},
    {kGeneration, "num_assistant_tokens_schedule assistant_confidence_threshold prompt_lookup_num_tokens"},
    {kGeneration, "max_matching_ngram_size assistant_early_exit assistant_lookbehind target_lookbehind"},
    {kGeneration, "assistant_ensemble_weight speculation_type use_mtp compile_config disable_compile"},
    {kGeneration, "continuous_batching_config low_memory prefill_chunk_size generation_kwargs"},
    {kGeneration, "transformers_version _from_model_config trust_remote_code num_return_sequences"},
    {kPicture, "do_convert_rgb crop_size pad_size default_to_square data_format input_data_format device"},
    {kPicture, "return_tensors disable_grouping processor_class feature_extractor_type use_fast auto_map"},
    {kPicture, "_valid_processor_keys _processor_class"},
    {kProcessor, "processor_class image_seq_length image_token chat_template tokenizer auto_map"},
    {kProcessor, "num_additional_image_tokens patch_size vision_feature_select_strategy"}};

constexpr std::string_view kOriginal =
    "bring the checkpoint that this one was quantised from, and take "
    "--precision int8 where memory is short";
constexpr std::string_view kGelu =
    "GELU by tanh (gelu_pytorch_tanh) is the only activation here; bring a model "
    "that was trained with it";
constexpr std::string_view kTanh = R"(["gelu_pytorch_tanh", "gelu_new", "gelu_fast", "gelu_accurate"])";
constexpr std::string_view kNoSuch = "PaliGemma has none; bring the config.json that belongs to the weights";
constexpr std::string_view kNotDone =
    "Palisade does not do that; take the key out if answers may go without it";
constexpr std::string_view kFull =
    "pictures are only resized here; bring a preprocessor_config.json of PaliGemma";

constexpr ConfigKey refused(ConfigPlace place, std::string_view name, std::string_view harmless,
                            std::string_view remedy) {
  return {place, name, KeyRule::kRefused, harmless, remedy};
}

constexpr ConfigKey kRefusedKeys[] = {
    refused(kPaliGemma, "quantization_config", "[{}]", kOriginal),
    refused(kPaliGemma, "quantization", "[{}]", kOriginal),
    refused(kPaliGemma, "compression_config", "[{}]", kOriginal),
    refused(kPaliGemma, "transformers_weights", R"(["model.safetensors"])",
            "weights are read from model.safetensors or its shards; rename the file and take the key out"),
    refused(kPaliGemma, "pruned_heads", "[{}]", kNoSuch),
    refused(kPaliGemma, "per_layer_config", "[{}]", kNoSuch),
    refused(kGemma, "hidden_act",
            R"(["gelu_pytorch_tanh", "gelu", "gelu_new", "gelu_fast", "gelu_accurate"])", kGelu),
    refused(kGemma, "hidden_activation", kTanh, kGelu),
    refused(kGemma, "sliding_window", "[]", kNoSuch),
    refused(kGemma, "final_logit_softcapping", "[]", kNoSuch),
    refused(kGemma, "attention_bias", "[false]", kNoSuch),
    refused(kGemma, "quantization_config", "[{}]", kOriginal),
    refused(kGemma, "partial_rotary_factor", "[1]", kNoSuch),
    refused(kGemma, "attention_chunk_size", "[]", kNoSuch),
    refused(kGemma, "kv_sharing_modes", "[]", kNoSuch),
    refused(kGemma, "num_kv_shared_layers", "[0]", kNoSuch),
    refused(kGemma, "is_causal", "[true]", kNoSuch),
    refused(kGemma, "pruned_heads", "[{}]", kNoSuch),
    refused(kGemma, "per_layer_config", "[{}]", kNoSuch),
    refused(kRope, "partial_rotary_factor", "[1]", kNoSuch),
    refused(kRope, "full_attention", "[]", "one rotary embedding for all layers is known; bring a PaliGemma"),
    refused(kRope, "sliding_attention", "[]",
            "one rotary embedding for all layers is known; bring a PaliGemma"),
    refused(kVision, "hidden_act", kTanh, kGelu),
    refused(kVision, "pruned_heads", "[{}]", kNoSuch),
    refused(kVision, "per_layer_config", "[{}]", kNoSuch),
    refused(kVision, "quantization_config", "[{}]", kOriginal),
    refused(kSiglip, "quantization_config", "[{}]", kOriginal),
    refused(kSiglip, "quantization", "[{}]", kOriginal),
    refused(kSiglip, "transformers_weights", R"(["model.safetensors"])",
            "weights are read from model.safetensors or its shards; rename the file and take the key out"),
    refused(kSiglipText, "hidden_act", kTanh, kGelu),
    refused(kGeneration, "do_sample", "[false]",
            "answers are the most probable ones unless you ask for another way (--temperature, --top-k, "
            "--top-p); "
            "take the key out"),
    refused(kGeneration, "num_beams", "[1]", "take the key out, and ask with --beams for a beam search"),
    refused(kGeneration, "num_beam_groups", "[1]", kNotDone),
    refused(kGeneration, "diversity_penalty", "[0]", kNotDone),
    refused(kGeneration, "repetition_penalty", "[1]", kNotDone),
    refused(kGeneration, "encoder_repetition_penalty", "[1]", kNotDone),
    refused(kGeneration, "no_repeat_ngram_size", "[0]", kNotDone),
    refused(kGeneration, "encoder_no_repeat_ngram_size", "[0]", kNotDone),
    refused(kGeneration, "min_length", "[0]", kNotDone),
    refused(kGeneration, "min_new_tokens", "[0]", kNotDone),
    refused(kGeneration, "suppress_tokens", "[[]]", kNotDone),
    refused(kGeneration, "begin_suppress_tokens", "[[]]", kNotDone),
    refused(kGeneration, "bad_words_ids", "[[]]", kNotDone),
    refused(kGeneration, "force_words_ids", "[[]]", kNotDone),
    refused(kGeneration, "constraints", "[[]]", kNotDone),
    refused(kGeneration, "sequence_bias", "[[], {}]", kNotDone),
    refused(kGeneration, "forced_bos_token_id", "[]", kNotDone),
    refused(kGeneration, "forced_eos_token_id", "[]", kNotDone),
    refused(kGeneration, "forced_decoder_ids", "[[]]", kNotDone),
    refused(kGeneration, "exponential_decay_length_penalty", "[]", kNotDone),
    refused(kGeneration, "guidance_scale", "[1]", kNotDone),
    refused(kGeneration, "penalty_alpha", "[0]", kNotDone),
    refused(kGeneration, "dola_layers", "[]", kNotDone),
    refused(kGeneration, "stop_strings", "[[]]", kNotDone),
    refused(kGeneration, "max_time", "[]", "take the key out; a deadline is the task's"),
    refused(kGeneration, "token_healing", "[false]", kNotDone),
    refused(kGeneration, "watermarking_config", "[]", kNotDone),
    refused(kPicture, "do_resize", "[true]",
            "pictures are always resized here, to image_size; set it to true"),
    refused(kPicture, "do_center_crop", "[false]", kFull),
    refused(kPicture, "do_pad", "[false]", kFull),
    refused(kPicture, "image_processor_type",
            R"(["SiglipImageProcessor", "SiglipImageProcessorFast", "SiglipImageProcessorPil"])", kFull)};

// Everything that stands for both text_configs as Gemma 1's rows, and what Gemma 2 alone ignores.
bool also_of_gemma2(const ConfigKey& key) {
  static const std::set<std::string_view> kOfGemma1 = {"hidden_act", "sliding_window",
                                                       "final_logit_softcapping"};
  return key.place == kGemma && key.rule != KeyRule::kRead && !kOfGemma1.contains(key.name);
}

void add_each(std::vector<ConfigKey>& keys, std::span<const KeyNames> groups, KeyRule rule) {
  for (const KeyNames& group : groups) {
    for (std::size_t at = 0; at < group.names.size();) {
      const std::size_t end = std::min(group.names.find(' ', at), group.names.size());
      keys.push_back({.place = group.place, .name = group.names.substr(at, end - at), .rule = rule});
      at = end + 1;
    }
  }
}

std::vector<ConfigKey> make_table() {
  std::vector<ConfigKey> keys(std::begin(kRefusedKeys), std::end(kRefusedKeys));
  add_each(keys, kReadKeys, KeyRule::kRead);
  add_each(keys, kIrrelevantKeys, KeyRule::kIrrelevant);
  const std::size_t listed = keys.size();
  for (std::size_t i = 0; i < listed; ++i) {
    if (!also_of_gemma2(keys[i])) continue;
    keys.push_back(keys[i]);
    keys.back().place = kGemma2;
  }
  keys.push_back({.place = kGemma2, .name = "hidden_act", .rule = KeyRule::kIrrelevant});
  for (const char* name : {"query_pre_attn_scalar", "attn_logit_softcapping", "layer_types"})
    keys.push_back({.place = kGemma, .name = name, .rule = KeyRule::kIrrelevant});
  return keys;
}

const ConfigKey* find_key(ConfigPlace place, std::string_view name) {
  const auto keys = config_keys();
  const auto found = std::ranges::find_if(
      keys, [&](const ConfigKey& key) { return key.place == place && key.name == name; });
  return found == keys.end() ? nullptr : &*found;
}

Json section_of(const Json& json, const char* name) {
  const Json section = json.is_object() ? json.value(name, Json::object()) : Json::object();
  return section.is_object() ? section : Json::object();
}

struct UnknownKeys {
  std::filesystem::path folder;
  std::vector<std::string> names;

  Json read(const char* file) const {
    const auto path = folder / file;
    return std::filesystem::exists(path) ? read_json(path, 1u << 20) : Json::object();
  }
  void add(ConfigPlace place, const Json& section, const std::string& where) {
    if (!section.is_object()) return;
    for (const auto& [name, value] : section.items()) {
      // Older files repeat all of generation_config.json in config.json.
      if (find_key(place, name) == nullptr && find_key(kGeneration, name) == nullptr)
        names.push_back(where + name);
    }
  }
};

}  // namespace

std::span<const ConfigKey> config_keys() {
  static const std::vector<ConfigKey> table = make_table();
  return table;
}

void refuse_keys(ConfigPlace place, const Json& section, const std::string& where) {
  for (const auto& [name, value] : section.items()) {
    const ConfigKey* const key = find_key(place, name);
    if (key == nullptr || key->rule != KeyRule::kRefused || value.is_null()) continue;
    const Json harmless = parse_json(key->harmless, "harmless values");
    if (std::ranges::find(harmless, value) != harmless.end()) continue;
    std::string text = value.dump(-1, ' ', true);
    if (text.size() > 80) text = text.substr(0, 77) + "...";
    throw ModelError(where + ": \"" + name + "\" is " + text + "; " + std::string(key->remedy));
  }
}

std::vector<std::string> unknown_keys(const std::filesystem::path& folder) {
  UnknownKeys unknown{folder, {}};
  const Json config = unknown.read("config.json");
  const bool siglip = config.is_object() && config.value("model_type", Json()) == "siglip";
  const Json text = section_of(config, "text_config");
  const ConfigPlace gemma = text.value("model_type", Json()) == "gemma2" ? kGemma2 : kGemma;
  unknown.add(siglip ? kSiglip : kPaliGemma, config, "config.json: ");
  unknown.add(siglip ? kSiglipText : gemma, text, "config.json: text_config: ");
  unknown.add(kVision, section_of(config, "vision_config"), "config.json: vision_config: ");
  unknown.add(kGeneration, unknown.read("generation_config.json"), "generation_config.json: ");
  const Json processor = unknown.read("processor_config.json");
  const Json pictures = section_of(processor, "image_processor");
  unknown.add(kProcessor, processor, "processor_config.json: ");
  unknown.add(kPicture, pictures, "processor_config.json: image_processor: ");
  if (pictures.empty())
    unknown.add(kPicture, unknown.read("preprocessor_config.json"), "preprocessor_config.json: ");
  return std::move(unknown.names);
}

}  // namespace palisade
