#pragma once

#include <gst/gst.h>

#include "examples/camera/street_camera.h"

namespace palisade::world {

// Lets an appsrc send the camera's pictures in real time, each stamped with the moment that it shows. The
// camera outlives the appsrc.
void feed_live(GstElement* appsrc, StreetCamera& camera, int frames_per_second);

}  // namespace palisade::world
