#pragma once

#include <memory>

#include "ingest/http/http_stream.h"
#include "ingest/source/source.h"

namespace palisade {

// A camera that sends one picture after the other in one answer (motion JPEG), timed by arrival. A picture
// that cannot be decoded is passed over.
std::unique_ptr<Source> read_http_pictures(const SourceOptions& options, OpenedHttp http);

// A single picture, asked for anew every options.frame_interval: a camera that gives stills. Where more
// pictures follow the first one in the same answer, it is read as those are. Throws SourceError.
std::unique_ptr<Source> poll_http_picture(const SourceOptions& options, std::stop_token stop,
                                          OpenedHttp http);

}  // namespace palisade
