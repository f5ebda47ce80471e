#pragma once

#include <string>

#include "service/engine/engine_model.h"
#include "service/engine/request.h"
#include "service/events/event_record.h"

namespace palisade {

// The record of a reply, without its text, which the task reads.
AnswerRecord record_of(const Request& request, const Reply& reply, const EngineModel& model,
                       const std::string& stream, const std::string& task);

}  // namespace palisade
