#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace palisade {

// A JSON object of a model folder.
enum class ConfigPlace {
  kPaliGemma,   // config.json of PaliGemma
  kGemma,       // its text_config, of Gemma 1
  kGemma2,      // and of Gemma 2
  kRope,        // rope_parameters or rope_scaling of either
  kVision,      // its vision_config, which SigLIP alone has too
  kSiglip,      // config.json of SigLIP alone
  kSiglipText,  // its text_config
  kGeneration,  // generation_config.json; where that is missing, these keys of config.json and text_config
  kPicture,     // preprocessor_config.json, or image_processor of processor_config.json
  kProcessor,   // processor_config.json
};

enum class KeyRule {
  kRead,        // and applied
  kIrrelevant,  // to an answer
  kRefused,     // unless it has one of its harmless values
};

// What becomes of a key that transformers (4.41 to 5.24) reads there.
struct ConfigKey {
  ConfigPlace place = ConfigPlace::kPaliGemma;
  std::string_view name = {};
  KeyRule rule = KeyRule::kRead;
  std::string_view harmless =
      {};  // of a refused one: a JSON list of values that change nothing, as null does
  std::string_view remedy = {};
};

// The one table of them all.
std::span<const ConfigKey> config_keys();

// Throws Error with the remedy where `section`, an object of `place`, has a refused key with a value
// that is not harmless. `where` names file and object.
void refuse_keys(ConfigPlace place, const Json& section, const std::string& where);

// Keys of a model folder that neither Palisade nor transformers knows, as "config.json: text_config: key".
// They change nothing; a spelling mistake is among them. Nothing where there is no such folder.
std::vector<std::string> unknown_keys(const std::filesystem::path& folder);

}  // namespace palisade
