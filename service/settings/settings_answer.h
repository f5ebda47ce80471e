#pragma once

#include <vector>

#include "service/settings/settings.h"
#include "service/settings/settings_reader.h"

namespace palisade {

// What a task says of its answers: `type` of a question, `max_new_tokens`, and of boxes `locations` and
// `spread`. Its kind and its wording are known.
void read_answer(SettingsReader& reader, TaskSettings& settings, std::vector<Problem>& problems);

}  // namespace palisade
