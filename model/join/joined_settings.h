#pragma once

#include <filesystem>

#include "base/json.h"
#include "model/config/model_config.h"
#include "model/join/gemma_folder.h"
#include "model/join/image_tower_folder.h"

namespace palisade {

// The PaliGemma that the two become: its pieces are Gemma's, the location and segment tokens and <image>, its
// embedding has as many rows as transformers gives it when it converts the released weights
// (resize_token_embeddings(pieces + 2, 64)). Throws Error where a picture has more tokens than Gemma has
// positions.
ModelConfig joined_config(const ImageTowerFolder& tower, const GemmaFolder& gemma);

// Writes all of a PaliGemma's folder but its weights: config.json, generation_config.json,
// preprocessor_config.json, tokenizer.model, tokenizer_config.json, added_tokens.json,
// special_tokens_map.json, and tokenizer.json where `gemma_folder` has it.
void write_joined_settings(const ImageTowerFolder& tower, const GemmaFolder& gemma,
                           const std::filesystem::path& gemma_folder, const ModelConfig& config,
                           const std::filesystem::path& folder);

}  // namespace palisade
