#pragma once

#include <string>

#include "service/engine/engine_model.h"
#include "service/engine/request.h"
#include "service/events/event_record.h"

namespace palisade {

// What a reply says, as the record of an event. The text is left out: that is read by the task.
AnswerRecord record_of(const Request& request, const Reply& reply, const EngineModel& model,
                       const std::string& stream, const std::string& task);

}  // namespace palisade
