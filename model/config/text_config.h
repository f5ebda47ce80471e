#pragma once

#include "model/config/model_config.h"

namespace palisade {

// A text_config, or the config.json of Gemma 1 or 2 alone. Throws Error naming the key and what is expected.
TextConfig read_text_config(const ConfigSection& section);

}  // namespace palisade
