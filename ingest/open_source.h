#pragma once

#include <memory>
#include <stop_token>

#include "ingest/source/source.h"

namespace palisade {

// Opens by the URL's scheme: a path or file:, folder:, v4l2:, http:, https:, rtsp:, rtsps:, gst:. A path may
// name a folder of pictures. Throws SourceError.
std::unique_ptr<Source> open_source(const SourceOptions& options, std::stop_token stop);

// What opening it takes and a confined process may not do any more: GStreamer looks for its plugins by
// another program. Starts no thread.
void prepare_source(const SourceOptions& options);

}  // namespace palisade
