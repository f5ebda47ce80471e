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

// Pictures as a clip, in the order given. Throws PictureError.
Clip clip_of_pictures(std::span<const std::string> paths, const EngineModel& model);

// Of a file: `count` frames spread evenly from its first to its last, or to `span` where one is given. Of a
// camera: the next `span` of it. Throws SourceError; nothing when it was stopped.
std::optional<Clip> clip_of_video(const SourceOptions& source, int count,
                                  std::optional<std::chrono::milliseconds> span, const EngineModel& model,
                                  std::stop_token stop);

// For each of `count` points spread evenly from `pts.front()` to `end`, the index of the nearest entry of
// `pts`, which ascend.
std::vector<std::size_t> evenly_spread(std::span<const MediaTime> pts, int count, MediaTime end);

bool is_picture_file(const std::string& path);
// A stream's name made of a path or URL, without anything that could be a password: "street" of
// "/tmp/Street.mp4".
std::string stream_name_of(std::string_view path_or_url);

}  // namespace palisade
