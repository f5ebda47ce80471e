#pragma once

#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "frames/clip.h"
#include "ingest/source/source.h"
#include "service/engine/engine_model.h"

namespace palisade {

// A clip of pictures in the order given. Throws PictureError.
Clip clip_of_pictures(std::span<const std::string> paths, const EngineModel& model);

// `count` frames: of a file spread evenly from the first to the last, or to `span`; of a camera over the next
// `span`. Throws SourceError; nothing where it was stopped.
std::optional<Clip> clip_of_video(const SourceOptions& source, int count,
                                  std::optional<std::chrono::milliseconds> span, const EngineModel& model,
                                  std::stop_token stop);

// The indices of the entries of `pts` (ascending) nearest to `count` points spread evenly from `pts.front()`
// to `end`.
std::vector<std::size_t> evenly_spread(std::span<const MediaTime> pts, int count, MediaTime end);

bool is_picture_file(const std::string& path);
// A stream's name from a path or URL, without anything that could be a password: "street" for
// "/tmp/Street.mp4".
std::string stream_name_of(std::string_view path_or_url);

}  // namespace palisade
