#pragma once

#include <memory>

#include "ingest/source/source.h"

namespace palisade {

// "gst:" and a pipeline as gst-launch takes it. Its pictures are taken from the appsink named "palisade",
// which is put at the end where the line has none. Or an rtsp(s): or v4l2: address. Always live. Throws
// SourceError.
std::unique_ptr<Source> open_gst_source(const SourceOptions& options, std::stop_token stop);

}  // namespace palisade
