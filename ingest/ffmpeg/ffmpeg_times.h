#pragma once

#include <optional>

#include "base/clock.h"
#include "ingest/ffmpeg/ffmpeg_handles.h"

namespace palisade {

// A file's times are those that a player shows. MP4, MOV, Matroska and WebM have a timeline of their own, on
// which a film may begin an hour after 0. All other containers count from wherever the recorder's clock stood
// (MPEG-TS: 1.4 s, or a day and a half), and begin at 0.

// The timestamp of media time 0.
MediaTime origin_of(const AVFormatContext& format);
// Media time at which the longest stream ends; nothing where the container does not say.
std::optional<MediaTime> end_of(const AVFormatContext& format);

}  // namespace palisade
