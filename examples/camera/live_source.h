#pragma once

#include <gst/gst.h>

#include "examples/camera/street_camera.h"

namespace palisade::world {

// Connects a camera to an appsrc, which then sends its pictures in real time, stamped with the time that they
// show. The camera outlives the appsrc.
void feed_live(GstElement* appsrc, StreetCamera& camera, int frames_per_second);

}  // namespace palisade::world
