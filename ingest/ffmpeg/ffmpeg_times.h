#pragma once

#include <optional>

#include "base/clock.h"
#include "ingest/ffmpeg/ffmpeg_handles.h"

namespace palisade {

// Times of a file as a player shows them. MP4, MOV, Matroska and WebM have a timeline of their own, on which
// a film may begin an hour after 0. Other containers count from any value (MPEG-TS from 1.4 s, or 26 hours)
// and begin at 0 here.

// The timestamp of media time 0.
MediaTime origin_of(const AVFormatContext& format);
// Media time of the longest stream's end; nothing where it is unknown.
std::optional<MediaTime> end_of(const AVFormatContext& format);

}  // namespace palisade
