#pragma once

#include <memory>

#include "ingest/source/source.h"

namespace palisade {

// Opens an rtsp(s): or v4l2: address, or "gst:" and a pipeline as for gst-launch. Pictures are taken from the
// appsink named "palisade", which is appended if the pipeline has none. Always live. Throws SourceError.
std::unique_ptr<Source> open_gst_source(const SourceOptions& options, std::stop_token stop);

// Starts the library, which else happens when the first source is opened. It looks for its plugins by a
// program of its own. Throws SourceError.
void start_gstreamer();

}  // namespace palisade
