#pragma once

#include "frames/clip.h"
#include "model/decoding/decoding.h"
#include "model/masks/mask_decoder.h"
#include "tasks/answer_type.h"
#include "tasks/boxes.h"
#include "tasks/events/answer_event.h"

namespace palisade {

// What an answer is read with beside its own words.
struct Reading {
  const Clip& clip;  // that was asked about
  LocationScale locations = {};
  const MaskDecoder* masks = nullptr;  // null: masks are left out
  const AnswerType* type = nullptr;    // of a question; null: text
};

// Text, tokens, probabilities and the choices that were given.
void read_text(const Answer& answer, AnswerEvent& event);
// The same, and the boxes of an answer about one picture: in its own pixels, each with the mean probability
// of its location tokens and, where they were asked for, their spreads. What is no box is told as malformed.
// Boxes of an answer about several pictures are none of any picture: their text alone is told.
void read_boxes(const Answer& answer, const Reading& reading, AnswerEvent& event);

}  // namespace palisade
