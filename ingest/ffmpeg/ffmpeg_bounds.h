#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ingest/ffmpeg/ffmpeg_deadline.h"
#include "ingest/ffmpeg/ffmpeg_handles.h"
#include "ingest/ffmpeg/ffmpeg_log.h"

namespace palisade {

// Ends the reading of a container that claims more pictures than it has bytes, or whose index becomes too
// large. A few bytes of a file may stand for gigabytes of tables, and FFmpeg fills them without calling back.
// It logs what it reads, so this listens to the log and also checks the deadline there. Outlives its context.
class FfmpegBounds : public FfmpegListener {
 public:
  explicit FfmpegBounds(Deadline& deadline) : deadline_(deadline) {}

  void hear(AVFormatContext& context, std::string_view pattern, std::va_list arguments) override;
  // What exceeded a limit; empty where nothing did.
  const std::string& excess() const { return excess_; }

 private:
  void judge(AVFormatContext& context);
  void end(AVFormatContext& context, std::string excess);

  Deadline& deadline_;
  std::int64_t claimed_ = 0;  // samples claimed by tables and fragments so far
  std::uint64_t heard_ = 0;
  std::string excess_;
};

}  // namespace palisade
