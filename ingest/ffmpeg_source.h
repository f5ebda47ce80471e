#pragma once

#include <memory>

#include "ingest/source.h"

namespace palisade {

// Files, http(s) and rtsp(s), read by FFmpeg. The scheme has been checked. Throws SourceError.
std::unique_ptr<Source> open_ffmpeg_source(const SourceOptions& options, std::stop_token stop);

}  // namespace palisade
