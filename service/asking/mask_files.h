#pragma once

#include <filesystem>

#include "tasks/events/answer_event.h"

namespace palisade {

// Writes each mask of an answer as a PNG of the picture's size, white where the mask is, into a folder that
// is made where it is missing. A file is named by its SHA-256, which the event then refers to. Throws Error.
void write_masks(const std::filesystem::path& folder, AnswerEvent& event);

}  // namespace palisade
