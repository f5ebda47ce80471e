#pragma once

#include <stop_token>

#include "service/transfer/run_folder.h"

namespace palisade {

// Trains from the run folder's checkpoint, or from the start, and leaves the model in the folder. The folder
// is created once recipe and data are valid. Returns false where it was stopped; resuming then gives the same
// model, bit for bit. `what` begins each line of log and progress; `inputs` remembers pictures for later
// transfers. Throws SettingsError for recipe or data, Unavailable where another process holds the folder,
// else Error.
bool transfer(const TransferSettings& settings, const RunFolder& run, const std::stop_token& stop,
              const std::string& what, InputFiles& inputs);

}  // namespace palisade
