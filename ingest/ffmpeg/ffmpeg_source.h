#pragma once

#include <memory>

#include "ingest/http/http_body.h"
#include "ingest/source/source.h"

namespace palisade {

// Files and rtsp(s), read by FFmpeg. The scheme has been checked. Throws SourceError.
std::unique_ptr<Source> open_ffmpeg_source(const SourceOptions& options, std::stop_token stop);
// A film or camera of an http(s) address.
std::unique_ptr<Source> read_http_by_ffmpeg(const SourceOptions& options, std::stop_token stop,
                                            OpenedHttp http);

}  // namespace palisade
