#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"
#include "tasks/events/answer_event.h"

namespace palisade {

// Writes each mask of an answer as a PNG of the picture's size, white where the mask is, into a folder that
// is made where it is missing. A file is named by its SHA-256, which the event then refers to. Throws Error.
void write_masks(const std::filesystem::path& folder, AnswerEvent& event);
// The same of the masks of an event's data, as JSON. Returns their names.
std::vector<std::string> write_masks(const std::filesystem::path& folder, const Json& data);

}  // namespace palisade
