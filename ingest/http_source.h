#pragma once

#include <memory>

#include "ingest/source/source.h"

namespace palisade {

// What an http(s) address gives: a film or a camera. Throws SourceError.
std::unique_ptr<Source> open_http_source(const SourceOptions& options, std::stop_token stop);

}  // namespace palisade
