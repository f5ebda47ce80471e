#pragma once

#include <memory>

#include "ingest/source/source.h"

namespace palisade {

// A folder's JPEG, PNG and WebP files in the natural order of their names, as a file of one picture every
// `frame_interval`; other files and subfolders are passed over. A picture's wall time is its file's last
// change. One that is wanted and cannot be read, and pictures of other kinds, are skipped and told. Throws
// SourceError where nothing is left.
std::unique_ptr<Source> open_folder_source(const SourceOptions& options, std::stop_token stop);

}  // namespace palisade
