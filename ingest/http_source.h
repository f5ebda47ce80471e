#pragma once

#include <memory>

#include "ingest/source/source.h"

namespace palisade {

// Opens a film, camera or picture of an http(s) address. Throws SourceError.
std::unique_ptr<Source> open_http_source(const SourceOptions& options, std::stop_token stop);

}  // namespace palisade
