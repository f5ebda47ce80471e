#pragma once

#include <map>
#include <string>

#include "service/engine/answer_meter.h"
#include "service/settings/settings.h"

namespace palisade {

// Seconds of the engine for each second that every stream of the settings would take by these costs, gates
// letting everything through; streams that are paused or read without a pace take none. `image_tokens`: of
// one image.
std::map<std::string, double> forecast_shares(const Settings& settings, const AnswerCosts& costs,
                                              int image_tokens);

}  // namespace palisade
