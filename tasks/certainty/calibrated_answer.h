#pragma once

#include "tasks/certainty/certainty_curve.h"
#include "tasks/events/answer_event.h"

namespace palisade {

// Adds to every choice of an answer what the curve of its question makes of its probability. An answer
// without choices, or of a question without a curve, stays as it is.
void calibrate(AnswerEvent& answer, const CertaintyCurves& curves);

}  // namespace palisade
