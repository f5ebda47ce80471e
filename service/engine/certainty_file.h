#pragma once

#include <filesystem>

#include "model/paligemma/paligemma.h"
#include "tasks/certainty/certainty_curve.h"

namespace palisade {

// The curves of a file of `palisade calibrate-answers`. Throws Error where it is none, and UsageError where
// it is of another model: its curves would say something wrong of this one.
CertaintyCurves read_certainty(const std::filesystem::path& file, const ModelIdentity& model);

}  // namespace palisade
