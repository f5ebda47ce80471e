#pragma once

#include <memory>

#include "ingest/source/source.h"

namespace palisade {

// A folder's JPEG, PNG and WebP files in natural order, as a film with one picture every `frame_interval`.
// The wall time of a picture is its file's last change. Unreadable pictures and those of other kinds are
// skipped and reported. Throws SourceError where no picture is left.
std::unique_ptr<Source> open_folder_source(const SourceOptions& options, std::stop_token stop);

}  // namespace palisade
