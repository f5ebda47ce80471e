#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "model/config/siglip_config.h"

namespace palisade {

inline const std::string kEmbeddingTensor = "language_model.model.embed_tokens.weight";
inline const std::string kHeadTensor = "language_model.lm_head.weight";

// The name that the released files give a tensor ("language_model.model.layers.0....",
// "vision_tower.vision_model....", "language_model.lm_head.weight"), whichever version of transformers wrote
// it: parts stand with or without "model." before and behind them, the image tower's with or without
// "vision_model.", and the head by itself. Any other name is left as it is.
std::string released_name(std::string_view name);

// Every tensor that a PaliGemma of this configuration may have, by its released name; a head of its own too.
using TensorShapes = std::map<std::string, std::vector<std::int64_t>>;
TensorShapes tensor_shapes(const ModelConfig& config);

// Whether a PaliGemma of this configuration reads the tensor of this released name, or it changes nothing:
// tables that a program makes for itself, and the pooling head of SigLIP, which PaliGemma goes without.
std::function<bool(const std::string&)> known_tensors(const ModelConfig& config);

// The same of SigLIP alone, whose pooling head is read.
std::function<bool(const std::string&)> known_tensors(const SiglipConfig& config);

// Of a tensor that is not known: what it tells of the checkpoint, and the remedy.
std::string why_unread(const std::string& stored_name);

}  // namespace palisade
