#pragma once

#include <stop_token>

#include "service/transfer/run_folder.h"

namespace palisade {

// Trains as the settings say, from the run folder's checkpoint where it has one, and leaves the model there;
// a folder that is not there yet is made once recipe and data are known to be good. False when it was
// stopped, with a checkpoint to go on from: steps done before and after make the same model as without the
// stop, bit for bit. `what` begins each line of log and progress. Throws SettingsError for what is wrong with
// recipe or data, Error for all else, Unavailable where another process has the folder. `inputs`
// remembers the pictures for transfers that follow.
bool transfer(const TransferSettings& settings, const RunFolder& run, const std::stop_token& stop,
              const std::string& what, InputFiles& inputs);

}  // namespace palisade
