#pragma once

#include <span>

#include "frames/image.h"
#include "tasks/events/answer_event.h"

namespace palisade {

// A picture of 8 bits with boxes and masks drawn on it: a frame around each box, in one colour a label, and
// what a mask holds tinted in it. `boxes` are of this picture's pixels; what lies outside is left out.
Image with_boxes(const Image& picture, std::span<const DetectedBox> boxes);

}  // namespace palisade
