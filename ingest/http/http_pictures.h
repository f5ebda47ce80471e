#pragma once

#include <memory>

#include "ingest/http/http_body.h"
#include "ingest/source/source.h"

namespace palisade {

// A camera that sends one picture after the other in one answer (motion JPEG). Frames are timed by arrival;
// pictures that cannot be decoded are skipped.
std::unique_ptr<Source> read_http_pictures(const SourceOptions& options, OpenedHttp http);

// A camera that serves still pictures: one is requested every options.frame_interval. If more pictures follow
// the first one in the same answer, it is read like read_http_pictures(). Throws SourceError.
std::unique_ptr<Source> poll_http_picture(const SourceOptions& options, std::stop_token stop,
                                          OpenedHttp http);

}  // namespace palisade
